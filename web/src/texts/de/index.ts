import type { Texts } from "..";
import ask from "./ask";
import documents from "./documents";
import page from "./page";
import session from "./session";
import shell from "./shell";

const texts: Texts = { ask, documents, page, session, shell };

export default texts;
