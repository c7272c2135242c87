import { Page } from "../parts/Page";
export function Certificates() { return <Page title="Certificates" question="Certificates" answer="Being built." />; }
