package dev.holdfast.access;

/// Something of this room was refused; the reason is a fact that the caller shows.
public final class AccessRefused extends Exception {
    private static final long serialVersionUID = 1L;
    private final Reason reason;

    public enum Reason {
        LINK_UNKNOWN_USED_OR_EXPIRED,
        CEREMONY_UNKNOWN_OR_EXPIRED,
        CEREMONY_ALREADY_USED,
        PASSKEY_UNKNOWN,
        PASSKEY_NOT_VERIFIED,
        PASSKEY_ALREADY_REGISTERED,
        ACCOUNT_LOCKED,
        LAST_PASSKEY,
        LAST_ADMIN,
        SCOPE_NOT_ONES_OWN,
        EXPIRY_TOO_LONG,
        NOT_FOUND
    }

    AccessRefused(Reason reason, String detail) {
        super(detail);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
