import ask from "./ask";
import documents from "./documents";
import page from "./page";
import session from "./session";
import shell from "./shell";

export default { ask, documents, page, session, shell };
