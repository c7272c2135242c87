package dev.holdfast.access;

/// What passkeys are bound to (WebAuthn section 5.1.2): the host name in the address bar.
///
/// @param id the host name, such as `localhost`
/// @param origin scheme, host and port of the console, such as `http://localhost:8080`
public record RelyingParty(String id, String origin) {}
