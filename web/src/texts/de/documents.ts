import type { Texts } from "..";

const texts: Texts["documents"] = {
  pages: (count: number) => `${count} ${count === 1 ? "Seite" : "Seiten"}`,
};

export default texts;
