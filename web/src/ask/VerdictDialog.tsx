import { useState } from "react";

import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { CheckBox, TextField } from "@/design/Field";
import { say } from "@/design/Toasts";
import { saveFile } from "@/shell/saveFile";
import { useTexts } from "@/texts";

import type { Turn, Verdict } from "./answer";
import { listOf } from "./filters";
import { knownQuestion, proposedWords, QuestionFile } from "./questionFile";

interface VerdictDialogProps {
  turn: Turn;
  verdict: Verdict;
  onDone: (kept: boolean) => void;
}

/** Puts a question with its right answer into the file by which answers are measured. */
export function VerdictDialog({ turn, verdict, onDone }: VerdictDialogProps) {
  const t = useTexts();
  const [file] = useState(() => new QuestionFile(localStorage));
  const refused = turn.refusal !== null;
  const [answerable, setAnswerable] = useState(!refused || verdict === "wrong");
  const [words, setWords] = useState(() => (verdict === "right" ? proposedWords(turn).join("; ") : ""));
  const count = file.all().length;
  const isComplete = !answerable || listOf(words, ";").length > 0;

  function keep() {
    file.add(knownQuestion(turn, verdict, answerable, listOf(words, ";")));
    say(t.ask.verdictKept(file.all().length));
    onDone(true);
  }

  return (
    <Dialog title={verdict === "right" ? t.ask.rightTitle : t.ask.wrongTitle} onClose={() => onDone(false)}>
      <p>{t.ask.verdictLead}</p>
      <CheckBox
        label={t.ask.answerable}
        checked={answerable}
        onChange={(event) => setAnswerable(event.target.checked)}
      />
      {answerable ? (
        <TextField
          label={t.ask.expected}
          hint={t.ask.expectedHint}
          value={words}
          dir="auto"
          onChange={(event) => setWords(event.target.value)}
        />
      ) : null}
      <DialogActions>
        {count > 0 ? (
          <Button
            look="quiet"
            onClick={() => saveFile("questions.jsonl", "application/x-ndjson", file.text())}
          >
            {t.ask.saveQuestions(count)}
          </Button>
        ) : null}
        <Button look="primary" disabled={!isComplete} onClick={keep}>
          {t.ask.addQuestion}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
