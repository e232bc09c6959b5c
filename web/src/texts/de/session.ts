import type { Texts } from "..";

const texts: Texts["session"] = {
  title: "Sign in to Atoll",
  lead: "Ask your documents. Every sentence shows where it stands.",
  key: "Key",
  keyHint: "It begins with atoll_. This page forgets it as soon as you are signed in.",
  wrong: "This key is not valid. It may have been revoked or have run out.",
  signIn: "Sign in",
  ended: "You were signed out: the session ended, or its key was revoked. What you were writing is kept.",
  help: "On the machine that runs Atoll, this command makes a link that signs you in:",
  signingIn: "Signing in",
  linkOver: "This link does not work any more",
  withKey: "Sign in with a key",
  roles: { owner: "Owner", editor: "Editor", reader: "Reader", auditor: "Auditor", admin: "Administrator" },
};

export default texts;
