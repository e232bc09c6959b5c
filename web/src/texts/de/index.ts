import type { Texts } from "..";
import admin from "./admin";
import ask from "./ask";
import documents from "./documents";
import graph from "./graph";
import page from "./page";
import search from "./search";
import session from "./session";
import shell from "./shell";

const texts: Texts = { admin, ask, documents, graph, page, search, session, shell };

export default texts;
