import { CircleUserRound, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { useLocation } from "wouter";

import { Menu, MenuChoice, MenuItem, MenuSeparator } from "@/design/Menu";
import { useConversations } from "@/history";
import { useSession, useSigning } from "@/session/session";
import { LANGUAGES, useCatalogue } from "@/texts";

import styles from "./Account.module.css";
import { chooseTheme, type Theme, useTheme } from "./theme";

const ICONS = { system: Monitor, light: Sun, dark: Moon } as const;

/** Who is signed in, and what holds for this browser: theme, language. */
export function Account() {
  const { texts: t, language, choose } = useCatalogue();
  const session = useSession();
  const signing = useSigning();
  const conversations = useConversations();
  const theme = useTheme();
  const [, navigate] = useLocation();
  return (
    <Menu
      side="top"
      trigger={
        <button type="button" className={styles.account}>
          <CircleUserRound size={20} aria-hidden="true" />
          <span>
            <bdi>{session.name}</bdi>
            <small>{t.session.roles[session.role]}</small>
          </span>
        </button>
      }
    >
      <MenuChoice<Theme>
        label={t.shell.theme}
        value={theme}
        choices={(["system", "light", "dark"] as const).map((value) => {
          const Icon = ICONS[value];
          return {
            value,
            label: (
              <span className={styles.choice}>
                <Icon size={16} aria-hidden="true" />
                {t.shell.themes[value]}
              </span>
            ),
          };
        })}
        onChange={chooseTheme}
      />
      <MenuSeparator />
      <MenuChoice
        label={t.shell.language}
        value={language}
        choices={LANGUAGES}
        onChange={(next) => void choose(next)}
      />
      <MenuSeparator />
      <MenuItem
        icon={LogOut}
        onSelect={() => {
          // Whoever signs out may leave the browser to somebody else.
          conversations.removeAll();
          void signing.end().then(() => navigate("/", { replace: true }));
        }}
      >
        {t.shell.signOut}
        <small className={styles.small}>{t.shell.signOutNote}</small>
      </MenuItem>
    </Menu>
  );
}
