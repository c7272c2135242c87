package dev.holdfast.sessions;

/// Why a session was ended by us.
public enum CutReason {
    QUARANTINED,
    SUSPENDED,
    RETIRED,
    CERTIFICATE_REVOKED,
    CERTIFICATE_SUPERSEDED,
    ISSUER_REPLACED,
    REPLACED_BY_NEWER_SESSION,
    PROTOCOL_VIOLATION,
    RATE_EXCEEDED,
    SERVER_STOPPING
}
