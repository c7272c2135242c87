package dev.holdfast.cmp;

import dev.holdfast.core.Serial;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1OctetString;

/// A transaction as it is stored.
///
/// @param id transactionID, hexadecimal
/// @param party [Party#name]
/// @param awaitedNonce our last senderNonce, which the next message must bring as its recipNonce
/// @param request CertReqMsg or PKCS #10, while it may have to be decided (again)
/// @param implicit no certConf is awaited
/// @param serial the certificate that it gave
/// @param confirmBy what is not confirmed by then is revoked
record CmpTransaction(
        String id,
        String party,
        String awaitedNonce,
        State state,
        Kind kind,
        long requestId,
        Optional<ASN1OctetString> request,
        Optional<String> profile,
        boolean implicit,
        Optional<Serial> serial,
        Instant openedAt,
        Instant confirmBy) {

    enum State {
        /// Opened, and not decided yet; for longer than a moment only after a crash.
        DECIDING,
        /// Waits for a person, or for better times: the device polls.
        HELD,
        /// A certificate was given, whose confirmation is awaited.
        ISSUED,
        /// The device has the certificate and wants it.
        CONFIRMED,
        /// Nothing more is to come of it.
        ENDED;

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        static State of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }

    /// What opened it.
    enum Kind {
        INITIALIZATION,
        CERTIFICATION,
        KEY_UPDATE,
        PKCS10,
        REVOCATION;

        String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        static Kind of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT).replace('-', '_'));
        }
    }
}
