import type { Texts } from "..";

const texts: Texts["session"] = {
  title: "Bei Atoll anmelden",
  lead: "Fragen Sie Ihre Dokumente. Jeder Satz zeigt, wo er steht.",
  key: "Schlüssel",
  keyHint: "Er beginnt mit atoll_. Diese Seite vergisst ihn, sobald Sie angemeldet sind.",
  wrong: "Dieser Schlüssel gilt nicht. Vielleicht wurde er widerrufen oder ist abgelaufen.",
  signIn: "Anmelden",
  ended:
    "Sie wurden abgemeldet: Die Sitzung ist zu Ende, oder ihr Schlüssel wurde widerrufen. Was Sie gerade schrieben, ist noch da.",
  help: "Auf dem Rechner, auf dem Atoll läuft, macht dieser Befehl einen Link, mit dem Sie sich anmelden:",
  signingIn: "Anmeldung läuft",
  linkOver: "Dieser Link gilt nicht mehr",
  withKey: "Mit einem Schlüssel anmelden",
  roles: {
    owner: "Eigentümer",
    editor: "Bearbeiter",
    reader: "Leser",
    auditor: "Prüfer",
    admin: "Administrator",
  },
};

export default texts;
