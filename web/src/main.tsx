import "./design/tokens.css";
import "./design/ground.css";

import { createRoot } from "react-dom/client";

import { App } from "./shell/App";
import { applyTheme } from "./shell/theme";
import { loadTexts, preferredLanguage, TextsProvider } from "./texts";

const language = preferredLanguage();
document.documentElement.lang = language;
applyTheme();

const root = document.getElementById("root");
const texts = await loadTexts(language);
if (root !== null) {
  createRoot(root).render(
    <TextsProvider first={[language, texts]}>
      <App />
    </TextsProvider>,
  );
}
