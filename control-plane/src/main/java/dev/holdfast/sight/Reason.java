package dev.holdfast.sight;

import java.time.Instant;
import java.util.Optional;

/// One reason why a device does not come in: cause, fix, and where to read on.
///
/// @param cause a fact, such as `CERTIFICATE_EXPIRED`
/// @param readOn a page of our docs and its section
/// @param times how often it was seen; 0 for what stands on record
/// @param sure whether it was this device, and not only one at its address
public record Reason(
        Kind kind,
        String cause,
        String sentence,
        String fix,
        String readOn,
        int times,
        Optional<Instant> lastAt,
        Optional<String> remoteAddress,
        boolean sure) {

    public enum Kind {
        /// On record, and keeps the device out whatever it tries.
        BARS,
        /// On record, and worth knowing.
        NOTE,
        /// Seen at the handshake.
        HANDSHAKE,
        /// Seen after it: the certificate or its device does not count.
        ADMISSION,
        /// A request for a certificate that was refused.
        ENROLMENT
    }

    static Reason bars(String cause, String sentence, String fix, String section) {
        return recorded(Kind.BARS, cause, sentence, fix, section);
    }

    static Reason note(String cause, String sentence, String fix, String section) {
        return recorded(Kind.NOTE, cause, sentence, fix, section);
    }

    private static Reason recorded(Kind kind, String cause, String sentence, String fix, String section) {
        return new Reason(kind, cause, sentence, fix, page(section), 0, Optional.empty(), Optional.empty(), true);
    }

    static String page(String section) {
        return "docs/certificates.md#" + section;
    }
}
