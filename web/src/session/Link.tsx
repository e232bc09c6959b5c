import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";

import { BrandMark } from "@/design/Brand";
import { Button } from "@/design/Button";
import { Working } from "@/design/Empty";
import { ProblemNotice } from "@/design/Notice";
import { useTexts } from "@/texts";

import { sessionQuery, useSigning } from "./session";
import styles from "./SignIn.module.css";

/**
 * Signs in by a link that `atoll open` made. Its token stands behind the `#`, which browsers send to nobody; it is
 * taken out of the address before it is used, so that it stays in no history.
 */
export function LinkSignIn() {
  const t = useTexts();
  const [, navigate] = useLocation();
  const client = useQueryClient();
  const { byLink } = useSigning();
  const [error, setError] = useState<unknown>(null);
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    const token = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", "/link");
    byLink(token).then(() => navigate("/", { replace: true }), setError);
  }, [byLink, navigate]);
  function leave() {
    // Whoever was signed in before still is: a link that does not work ends no session.
    void client.resetQueries({ queryKey: sessionQuery.queryKey });
    navigate("/", { replace: true });
  }
  return (
    <main className={styles.place}>
      <div className={styles.card}>
        <BrandMark size={44} />
        <h1>{error === null ? t.session.signingIn : t.session.linkOver}</h1>
        {error === null ? (
          <Working label={t.session.signingIn} />
        ) : (
          <>
            <ProblemNotice error={error} />
            <p>
              {t.session.help} <code>atoll open</code>
            </p>
            <Button onClick={leave}>{t.session.withKey}</Button>
          </>
        )}
      </div>
    </main>
  );
}
