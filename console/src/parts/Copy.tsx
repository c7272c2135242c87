import { useState } from "react";

/// Text to be copied: a command, a link, a secret that is shown once.
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <div className="stack-s">
      <div className="row between">
        <span className="small quiet">{label}</span>
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
      </div>
      {/* Scrollable regions must be reachable by keyboard. */}
      <pre className="code" tabIndex={0} aria-label={label} role="region">{text}</pre>
    </div>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState("Copy");
  return (
    <button
      type="button"
      className="btn"
      aria-label={label}
      onClick={() => {
        navigator.clipboard.writeText(text).then(
          () => setSaid("Copied"),
          () => setSaid("Select and copy by hand"),
        );
        setTimeout(() => setSaid("Copy"), 2500);
      }}
    >
      <span aria-live="polite">{said}</span>
    </button>
  );
}
