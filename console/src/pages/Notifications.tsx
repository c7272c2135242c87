import { Page } from "../parts/Page";
export function Notifications() { return <Page title="Notifications" question="Notifications" answer="Being built." />; }
