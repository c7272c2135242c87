import { Page } from "../parts/Page";
export function Incident() { return <Page title="Incident" question="Incident" answer="Being built." />; }
