import { pieces } from "./untrusted";

/// Text from a device: never markup, its control characters visible, its direction kept to itself.
export function Untrusted({ text }: { text: string }) {
  return (
    <bdi className="break">
      {pieces(text).map((piece, i) => (piece.control ? <span key={i} className="ctl">{piece.text}</span> : piece.text))}
    </bdi>
  );
}
