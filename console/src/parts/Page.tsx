import { useEffect } from "react";
import { ProblemError } from "../api/client";
import { Mark, type Tone } from "./Mark";

/// A page answers one question in a sentence, then shows a picture, then a table.
export function Page({ title, question, tone, answer, more, crumb, actions, children }: {
  /// For the browser's tab.
  title: string;
  question: string;
  tone?: Tone;
  answer: React.ReactNode;
  more?: React.ReactNode;
  crumb?: React.ReactNode;
  actions?: React.ReactNode;
  children?: React.ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Holdfast`;
  }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        {crumb && <div className="crumb">{crumb}</div>}
        <h1 className="question">{question}</h1>
        <p className="answer">
          {tone && <Mark tone={tone} />}
          <span>{answer}</span>
        </p>
        {more && <div className="answer-more">{more}</div>}
        {actions && <div className="row wrap page-acts">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Panel({ title, tools, footer, children, flush }: { title: React.ReactNode; tools?: React.ReactNode; footer?: React.ReactNode; children: React.ReactNode; flush?: boolean }) {
  return (
    <section className="panel">
      <header>
        <h2>{title}</h2>
        {tools && <div className="row wrap">{tools}</div>}
      </header>
      {flush ? children : <div className="body">{children}</div>}
      {footer && <footer>{footer}</footer>}
    </section>
  );
}

export function Empty({ title, children }: { title: string; children?: React.ReactNode }) {
  return (
    <div className="empty">
      <h3>{title}</h3>
      {children}
    </div>
  );
}

export function Skeleton({ width = "100%", height = 14 }: { width?: string | number; height?: number }) {
  return <span className="skel" style={{ width, height }} aria-hidden />;
}

export function SkeletonLines({ lines = 5 }: { lines?: number }) {
  return (
    <div className="empty" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        <Skeleton key={i} width={`${92 - ((i * 23) % 40)}%`} />
      ))}
    </div>
  );
}

/// What went wrong, why, and what to do: as the server said it.
export function ProblemNotice({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = error instanceof ProblemError ? error.problem : undefined;
  return (
    <div className="notice bad" role="alert">
      <Mark tone="bad" />
      <div className="stack-s grow">
        <strong>{problem?.title ?? "Something in this page failed"}</strong>
        <span className="break">{problem?.detail ?? (error instanceof Error ? error.message : String(error))}</span>
        {problem?.fix && <span className="quiet break">{problem.fix}</span>}
        {problem?.errors?.map((e) => (
          <span key={e.at + e.message} className="small break">
            <code>{e.at}</code> {e.message}
          </span>
        ))}
        {problem?.reference && (
          <span className="small quiet">
            Reference <code>{problem.reference}</code>
          </span>
        )}
        {retry && (
          <div>
            <button type="button" className="btn" onClick={retry}>Try again</button>
          </div>
        )}
      </div>
    </div>
  );
}
