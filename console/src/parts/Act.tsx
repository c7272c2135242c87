import { Dialog } from "@base-ui/react/dialog";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { ProblemNotice } from "./Page";
import { say } from "./toasts";

/// A button that changes something. It opens a dialog that says how many, which, until when and how to undo, asks for
/// the reason that the journal keeps, and sends one request however often it is pressed.
export function Act<T>({ label, icon, title, preview, confirm, danger, quiet, primary, disabled, reason = "required", suggestion = "", extra, act, done, wide }: {
  label: string;
  icon?: React.ReactNode;
  title: string;
  preview: React.ReactNode | (() => React.ReactNode);
  confirm: string;
  danger?: boolean;
  /// Dangerous, but seldom what one came for: the button itself does not shout.
  quiet?: boolean;
  primary?: boolean;
  disabled?: boolean;
  reason?: "required" | "none";
  suggestion?: string;
  extra?: React.ReactNode;
  act: (reason: string, idempotencyKey: string) => Promise<T>;
  /// What is said when it is done.
  done: string | ((result: T) => string);
  wide?: boolean;
}) {
  const [open, setOpen] = useState(false);
  const [why, setWhy] = useState(suggestion);
  const [key, setKey] = useState("");
  const queries = useQueryClient();
  const field = useId();
  const change = useMutation({
    mutationFn: () => act(why.trim(), key),
    onSuccess: async (result) => {
      setOpen(false);
      say("good", typeof done === "string" ? done : done(result));
      await queries.invalidateQueries();
    },
  });
  const tone = danger && !quiet ? "danger" : primary ? "primary" : "";
  return (
    <Dialog.Root
      open={open}
      onOpenChange={(next) => {
        if (next) {
          setWhy(suggestion);
          setKey(crypto.randomUUID());
          change.reset();
        }
        setOpen(next);
      }}
    >
      <Dialog.Trigger className={`btn ${tone}`} disabled={disabled}>
        {icon}
        {label}
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="scrim" />
        <Dialog.Popup className={`dialog${wide ? " wide" : ""}`}>
          <Dialog.Title>{title}</Dialog.Title>
          <div className="stack">{typeof preview === "function" ? (open ? preview() : null) : preview}</div>
          <form
            className="stack"
            onSubmit={(event) => {
              event.preventDefault();
              change.mutate();
            }}
          >
            {extra}
            {reason === "required" && (
              <label className="field" htmlFor={field}>
                Why (kept in the journal)
                <textarea id={field} className="input" rows={2} maxLength={500} required value={why} onChange={(event) => setWhy(event.target.value)} />
              </label>
            )}
            {change.error && <ProblemNotice error={change.error} />}
            <footer>
              <Dialog.Close className="btn">{reason === "none" && !danger ? "Cancel" : "Keep as it is"}</Dialog.Close>
              <button type="submit" className={`btn ${danger ? "danger solid" : "primary"}`} disabled={change.isPending || (reason === "required" && why.trim() === "")}>
                {change.isPending ? "Working…" : confirm}
              </button>
            </footer>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/// How many, which, until when, how to undo: the four things a person must know before acting on devices.
export function Consequence({ many, which, until, undo, also }: { many: string; which: React.ReactNode; until: React.ReactNode; undo: React.ReactNode; also?: React.ReactNode }) {
  return (
    <dl className="kv">
      <dt>How many</dt>
      <dd>{many}</dd>
      <dt>Which</dt>
      <dd>{which}</dd>
      <dt>Until</dt>
      <dd>{until}</dd>
      <dt>To undo</dt>
      <dd>{undo}</dd>
      {also}
    </dl>
  );
}
