import type { Schemas } from "./client";

/// WebAuthn's two ceremonies. The server speaks the JSON forms of WebAuthn level 3, the browser translates.

export function passkeyTrouble(): string | undefined {
  if (location.hostname === "127.0.0.1") return `Passkeys need a host name: open this page as http://localhost${location.port ? `:${location.port}` : ""}${location.pathname}.`;
  if (!window.isSecureContext) return "Passkeys need HTTPS, or http://localhost. Open this page over one of them.";
  if (typeof PublicKeyCredential === "undefined" || !("parseRequestOptionsFromJSON" in PublicKeyCredential)) return "This browser is too old for passkeys in the form that is used here. Update it.";
  return undefined;
}

export async function getPasskey(options: object): Promise<Schemas["Credential"]> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON);
  return result(await navigator.credentials.get({ publicKey }).catch(explain));
}

export async function makePasskey(options: object): Promise<Schemas["Credential"]> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON);
  return result(await navigator.credentials.create({ publicKey }).catch(explain));
}

function result(credential: Credential | null): Schemas["Credential"] {
  if (!(credential instanceof PublicKeyCredential)) throw new Error("The browser gave no passkey.");
  return credential.toJSON() as Schemas["Credential"];
}

function explain(error: unknown): never {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") throw new Error("The passkey was not given: the request was cancelled or took too long. Try again.");
  if (name === "InvalidStateError") throw new Error("This device already holds a passkey for this account. Use another one, or sign in.");
  if (name === "SecurityError") throw new Error("The browser refuses passkeys for this address. Open the console under the host name it was set up for.");
  throw error;
}
