import { useMutation } from "@tanstack/react-query";
import { api, must, type Schemas } from "../api/client";
import { CodeBlock } from "./Copy";
import { Panel, ProblemNotice } from "./Page";
import { When } from "./When";

/// A device's way in: a one-time token, and commands to copy to it.
export function Enrol({ device, again }: { device: Schemas["Device"]; again?: boolean }) {
  const token = useMutation({ mutationFn: () => must(api.POST("/devices/{id}/enrolment-token", { params: { path: { id: device.id } }, body: {} })) });
  const made = token.data;
  return (
    <Panel title={again ? "Enrol again" : "Enrol this device"}>
      <div className="stack">
        {!made && (
          <p className={again ? "small quiet" : ""}>
            {again
              ? "For a device that lost its key: a new one-time token. Its present certificate stays valid until the new one is used."
              : "Make a one-time token; with it the device gets its own certificate. The commands need only openssl and curl, nothing of ours."}
          </p>
        )}
        {!made && (
          <div>
            <button type="button" className={`btn${again ? "" : " primary"}`} disabled={token.isPending} onClick={() => token.mutate()}>{token.isPending ? "Making…" : "Make a one-time token"}</button>
          </div>
        )}
        {token.error && <ProblemNotice error={token.error} />}
        {made && (
          <>
            <p>The token works once; it ends <When at={made.expiresAt} />. It is not shown again.</p>
            <CodeBlock label="Token" text={made.token} />
            {made.commands && <CodeBlock label="Commands for the device" text={made.commands} />}
            <p className="quiet small">EST at <code className="break">{made.estUrl}</code>. This page follows by itself when the device appears.</p>
          </>
        )}
      </div>
    </Panel>
  );
}
