/// State is never colour alone: each has a shape of its own and, beside it, its word.

export type Tone = "good" | "watch" | "bad" | "unknown" | "held" | "calm";

const SHAPES: Record<Tone, React.ReactNode> = {
  good: <circle cx="6" cy="6" r="4.5" fill="currentColor" />,
  watch: <path d="M6 0.6 12 11.4H0Z" fill="currentColor" />,
  bad: (
    <>
      <path d="M3.6 0.3h4.8L11.7 3.6v4.8L8.4 11.7H3.6L0.3 8.4V3.6Z" fill="currentColor" />
      <path d="M3.7 3.7l4.6 4.6M8.3 3.7L3.7 8.3" stroke="var(--surface)" strokeWidth="1.7" />
    </>
  ),
  unknown: <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" strokeWidth="1.6" strokeDasharray="2.3 2.3" />,
  held: (
    <>
      <rect x="0.9" y="0.9" width="10.2" height="10.2" rx="1" fill="none" stroke="currentColor" strokeWidth="1.8" />
      <rect x="4" y="4" width="4" height="4" fill="currentColor" />
    </>
  ),
  calm: <path d="M1 6h10" stroke="currentColor" strokeWidth="1.8" />,
};

export function Mark({ tone, title }: { tone: Tone; title?: string }) {
  return (
    <svg className={`mark ${tone}`} viewBox="0 0 12 12" role={title ? "img" : undefined} aria-label={title} aria-hidden={title ? undefined : true}>
      {SHAPES[tone]}
    </svg>
  );
}

export function State({ tone, children }: { tone: Tone; children: React.ReactNode }) {
  return (
    <span className={`state ${tone}`}>
      <Mark tone={tone} />
      {children}
    </span>
  );
}
