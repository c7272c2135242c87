import { Page } from "../parts/Page";
export function Incidents() { return <Page title="Incidents" question="Incidents" answer="Being built." />; }
