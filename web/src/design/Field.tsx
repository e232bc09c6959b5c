import { type ComponentProps, type ReactNode, useId } from "react";

import styles from "./Field.module.css";

interface Around {
  label: string;
  hint?: ReactNode;
  error?: string | null | undefined;
}

/** A label, what it labels, and what to know about it. */
function Surround({ id, label, hint, error, children }: Around & { id: string; children: ReactNode }) {
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children}
      {error ? (
        <p id={`${id}-note`} className={styles.error} role="alert">
          {error}
        </p>
      ) : hint ? (
        <p id={`${id}-note`} className={styles.hint}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

function described(
  id: string,
  { hint, error }: Around,
): { "aria-describedby"?: string; "aria-invalid"?: true } {
  return {
    ...(hint || error ? { "aria-describedby": `${id}-note` } : {}),
    ...(error ? { "aria-invalid": true } : {}),
  };
}

export function TextField({ label, hint, error, ...rest }: Around & ComponentProps<"input">) {
  const id = useId();
  return (
    <Surround id={id} label={label} hint={hint} error={error}>
      <input id={id} className={styles.input} {...described(id, { label, hint, error })} {...rest} />
    </Surround>
  );
}

export function TextArea({ label, hint, error, ...rest }: Around & ComponentProps<"textarea">) {
  const id = useId();
  return (
    <Surround id={id} label={label} hint={hint} error={error}>
      <textarea
        id={id}
        rows={4}
        className={styles.input}
        {...described(id, { label, hint, error })}
        {...rest}
      />
    </Surround>
  );
}

export interface Choice<T extends string> {
  value: T;
  label: string;
}

interface SelectProps<T extends string> extends Around {
  value: T;
  choices: readonly Choice<T>[];
  onChange: (value: T) => void;
}

export function SelectField<T extends string>({
  label,
  hint,
  error,
  value,
  choices,
  onChange,
}: SelectProps<T>) {
  const id = useId();
  return (
    <Surround id={id} label={label} hint={hint} error={error}>
      <select
        id={id}
        className={styles.input}
        value={value}
        onChange={(event) => onChange(event.target.value as T)}
        {...described(id, { label, hint, error })}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    </Surround>
  );
}

/** A choice that stands in a line of text or of tools, its label read out and not shown. */
export function InlineSelect<T extends string>({ label, value, choices, onChange }: SelectProps<T>) {
  return (
    <select
      className={styles.inline}
      aria-label={label}
      title={label}
      value={value}
      onChange={(event) => onChange(event.target.value as T)}
    >
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  );
}

export function CheckBox({ label, ...rest }: { label: ReactNode } & ComponentProps<"input">) {
  const id = useId();
  return (
    <div className={styles.check}>
      <input id={id} type="checkbox" {...rest} />
      <label htmlFor={id}>{label}</label>
    </div>
  );
}
