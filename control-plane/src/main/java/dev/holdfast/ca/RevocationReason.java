package dev.holdfast.ca;

import java.util.Locale;
import java.util.Optional;

/// Why a certificate was revoked (RFC 5280 section 5.3.1).
public enum RevocationReason {
    UNSPECIFIED(0),
    KEY_COMPROMISE(1),
    /// The key of the authority that issued it, or its own where it is an authority, is in wrong hands.
    CA_COMPROMISE(2),
    AFFILIATION_CHANGED(3),
    SUPERSEDED(4),
    CESSATION_OF_OPERATION(5),
    /// The device is suspended; undone when it is reinstated.
    CERTIFICATE_HOLD(6),
    PRIVILEGE_WITHDRAWN(9);

    private final int code;

    RevocationReason(int code) {
        this.code = code;
    }

    /// CRLReason's number.
    public int code() {
        return code;
    }

    /// As the API and the CLI write it: `key-compromise`.
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public static Optional<RevocationReason> parse(String text) {
        for (RevocationReason reason : values()) {
            if (reason.text().equals(text)) {
                return Optional.of(reason);
            }
        }
        return Optional.empty();
    }
}
