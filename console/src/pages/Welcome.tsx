import { Page } from "../parts/Page";
export function Welcome() { return <Page title="Welcome" question="Welcome" answer="Being built." />; }
