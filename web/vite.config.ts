import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    target: "es2023",
    // The gateway's policy allows nothing inline, so no file may become a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: {
    proxy: Object.fromEntries(
      ["/v1", "/health", "/openapi.json"].map((path) => [
        path,
        process.env.ATOLL_ADDRESS ?? "http://127.0.0.1:8000",
      ]),
    ),
  },
});
