import { Page } from "../parts/Page";
export function Myself() { return <Page title="Myself" question="Myself" answer="Being built." />; }
