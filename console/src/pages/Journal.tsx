import { Page } from "../parts/Page";
export function Journal() { return <Page title="Journal" question="Journal" answer="Being built." />; }
