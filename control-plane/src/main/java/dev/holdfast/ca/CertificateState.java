package dev.holdfast.ca;

import java.util.Locale;

/// What became of a certificate; in the order in which it goes through these, never back.
public enum CertificateState {
    /// Its serial and contents are fixed and stored; it may not have been signed yet.
    INTENDED,
    /// Signed, but not used yet: its predecessor still counts too.
    PENDING,
    /// In use.
    CURRENT,
    /// Its successor is in use.
    SUPERSEDED,
    REVOKED;

    /// Whether a certificate in this state may still come to be used, or is.
    public boolean counts() {
        return switch (this) {
            case INTENDED, PENDING, CURRENT -> true;
            case SUPERSEDED, REVOKED -> false;
        };
    }

    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static CertificateState of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
