import { Page } from "../parts/Page";
export function Rollouts() { return <Page title="Rollouts" question="Rollouts" answer="Being built." />; }
