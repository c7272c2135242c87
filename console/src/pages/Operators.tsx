import { Page } from "../parts/Page";
export function Operators() { return <Page title="Operators" question="Operators" answer="Being built." />; }
