import { Page } from "../parts/Page";
export function ThisServer() { return <Page title="ThisServer" question="ThisServer" answer="Being built." />; }
