package dev.holdfast.sight;

import dev.holdfast.sight.Reason.Kind;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What a refusal means and what mends it.
///
/// @param section of docs/certificates.md
record Explanation(String sentence, String fix, String section) {

    Reason reason(List<Attempt> alike) {
        Attempt newest = alike.getFirst();
        return new Reason(
                switch (newest.stage()) {
                    case HANDSHAKE -> Kind.HANDSHAKE;
                    case ADMISSION -> Kind.ADMISSION;
                    case ENROLMENT -> Kind.ENROLMENT;
                },
                newest.cause(),
                sentence,
                fix,
                Reason.page(section),
                (int) Math.min(
                        Integer.MAX_VALUE,
                        alike.stream().mapToLong(Attempt::times).sum()),
                Optional.of(newest.at()),
                Optional.of(newest.remoteAddress()).filter(a -> !a.isEmpty()),
                newest.sure());
    }

    static Explanation of(Attempt attempt, Circumstances c) {
        return switch (attempt.stage()) {
            case HANDSHAKE -> handshake(attempt, c);
            case ADMISSION -> admission(attempt, c);
            case ENROLMENT -> enrolment(attempt, c);
        };
    }

    private static Explanation handshake(Attempt a, Circumstances c) {
        return switch (a.cause()) {
            case "ISSUER_UNKNOWN" ->
                new Explanation(
                        "It showed a certificate whose issuer is neither an authority of ours nor a registered"
                                + " manufacturer.",
                        "if it is a manufacturer's, register its anchor; if it is of another server or installation,"
                                + " enrol the device here: holdfast device token " + c.device(),
                        "unknown-issuer");
            case "SIGNATURE_WRONG" ->
                new Explanation(
                        "It showed a certificate that names an authority of ours which never signed it: of another"
                                + " installation with the same name, or forged.",
                        "enrol it here: holdfast device token " + c.device()
                                + "; if you don't know where it comes from, treat the device as tampered with",
                        "rogue-certificates");
            case "CERTIFICATE_NOT_FOR_THIS_USE" ->
                new Explanation(
                        "It showed a certificate that is not for TLS clients, is a CA's, or has critical extensions that"
                                + " are not known here.",
                        "holdfast cert inspect FILE says which; connect with the certificate that enrolment gave",
                        "wrong-use");
            case "CERTIFICATE_UNREADABLE" ->
                new Explanation(
                        "Its certificate, or the chain with it, could not be read.",
                        "send the device's certificate alone, or with its issuers in order: at most five",
                        "wrong-use");
            case "CLIENT_REJECTED_OUR_CERTIFICATE" -> rejected(a);
            case "PROTOCOL_ERROR" ->
                new Explanation(
                        "The two sides found no TLS version, cipher or signature scheme in common (" + a.detail()
                                + ").",
                        "this server speaks TLS 1.2 and 1.3; look what the device's TLS library offers, and whether it"
                                + " can sign with its kind of key",
                        "protocol");
            case "NO_CERTIFICATE" ->
                new Explanation(
                        "It showed no certificate: it, or who called itself so, connected without one.",
                        "configure its client with certificate and key (mosquitto: --cert, --key; curl: --cert, --key)",
                        "no-certificate");
            case "NOT_TLS" ->
                new Explanation(
                        "It spoke plain text, or another protocol, on a TLS port.",
                        "use https:// or mqtts:// and the right port: 8443 for HTTPS, 8883 for MQTT",
                        "protocol");
            case "TIMED_OUT" ->
                new Explanation(
                        "The handshake began and did not end in time: packets are lost, or the device is too slow.",
                        "look at the path for a small MTU (large handshakes vanish) and at the device's load",
                        "timeouts");
            case "CLOSED_BY_CLIENT" ->
                new Explanation(
                        "The device closed the connection in the middle of the handshake.",
                        "look at the device's log: its own timeout, or it did not like our certificate and said nothing",
                        "our-certificate-rejected");
            default -> other(a);
        };
    }

    /// Its alert says more than that it said no (RFC 8446 section 6.2).
    private static Explanation rejected(Attempt a) {
        String alert = a.detail().toUpperCase(Locale.ROOT);
        if (alert.contains("CERTIFICATE_EXPIRED")) {
            return new Explanation(
                    "The device says that our certificate is out of its time; ours is renewed by itself, so the"
                            + " device's clock is probably wrong.",
                    "set its clock (NTP), or give it one before TLS; a device without a clock needs a profile with a long"
                            + " validity.backdated",
                    "clocks");
        }
        if (alert.contains("UNKNOWN_CA")) {
            return new Explanation(
                    "The device does not know our root: it trusts another one, or none.",
                    "give it our trust anchors: holdfast cert ca",
                    "our-certificate-rejected");
        }
        return new Explanation(
                "The device did not accept our certificate (" + a.detail()
                        + "): it does not know our root, or it calls us"
                        + " by a name that the certificate does not have.",
                "give it our trust anchors (holdfast cert ca), and connect by the configured publicHostName",
                "our-certificate-rejected");
    }

    private static Explanation admission(Attempt a, Circumstances c) {
        return switch (a.cause()) {
            case "CERTIFICATE_EXPIRED" ->
                new Explanation(
                        "It came with a certificate that has ended; " + a.detail() + ".",
                        "let it renew (EST simplereenroll takes an expired certificate for a while), or enrol it again",
                        "expired");
            case "CERTIFICATE_NOT_YET_VALID" -> notYet(a, c);
            case "CERTIFICATE_UNKNOWN" ->
                new Explanation(
                        "It came with a certificate that names our authority and that we have no record of; "
                                + a.detail() + ".",
                        "if a backup was restored since it was issued, enrol the device again; if not, see the incident"
                                + " about rogue certificates at once",
                        "rogue-certificates");
            case "CERTIFICATE_REVOKED" ->
                new Explanation(
                        "It came with a certificate that was revoked; " + a.detail() + ".",
                        "enrol it again with a new key: holdfast device token " + c.device(),
                        "revoked");
            case "CERTIFICATE_SUPERSEDED" ->
                new Explanation(
                        "It came with an old certificate, whose successor has been used; " + a.detail() + ".",
                        "if the device was restored from an old image, enrol it again; if it also comes with the new one,"
                                + " somebody has a copy of its old key",
                        "superseded");
            case "DEVICE_SUSPENDED" ->
                new Explanation(
                        "It tried while it was suspended.",
                        "holdfast device show " + c.device() + " says why it is, or was",
                        "held");
            case "DEVICE_RETIRED" ->
                new Explanation("It tried though it is retired.", "take it off the network", "states-of-a-certificate");
            case "NO_CERTIFICATE" ->
                new Explanation(
                        "It came without a client certificate.",
                        "configure its client with certificate and key (mosquitto: --cert, --key; curl: --cert, --key)",
                        "no-certificate");
            default -> other(a);
        };
    }

    /// A certificate of ours that begins later than now can only be when a clock moved: ours, or the issuing
    /// node's.
    private static Explanation notYet(Attempt a, Circumstances c) {
        Optional<Duration> off = Diagnosis.present(c)
                .map(one -> Duration.between(a.at(), one.notBefore()))
                .filter(Duration::isPositive);
        return new Explanation(
                "It came with a certificate whose time had not come"
                        + off.map(d -> ": " + d.toMinutes() + " minutes too early")
                                .orElse("; " + a.detail())
                        + ". A node's clock was ahead when it was issued, or is behind now.",
                "compare the clocks of this installation's nodes",
                "clocks");
    }

    private static Explanation enrolment(Attempt a, Circumstances c) {
        String token = "make a new one: holdfast device token " + c.device();
        return switch (a.cause().toUpperCase(Locale.ROOT).replace('-', '_')) {
            case "TOKEN_WRONG", "TOKEN_EXPIRED", "TOKEN_ALREADY_USED", "TOKEN_WITHDRAWN", "AUTHENTICATION_FAILED" ->
                new Explanation(
                        "It asked for a certificate with a credential that is not good; " + a.detail() + ".",
                        token,
                        "enrolment-refused");
            case "SECRET_WRONG", "SECRET_EXPIRED", "SECRET_ALREADY_USED", "SECRET_WITHDRAWN" ->
                new Explanation(
                        "It asked for a certificate with a shared secret that is not good; " + a.detail() + ".",
                        "make a new one: holdfast device secret " + c.device(),
                        "enrolment-refused");
            case "KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE" ->
                new Explanation(
                        "It asked for a certificate for a key that another device has: both were made from one image, or"
                                + " the key was copied.",
                        "make the key on the device, at its first start; never in an image",
                        "shared-keys");
            case "KEY_OF_A_REVOKED_CERTIFICATE" ->
                new Explanation(
                        "It asked for a certificate for a key whose certificate was revoked.",
                        "make a new key on the device",
                        "revoked");
            case "KEY_WEAK", "KEY_NOT_ACCEPTED", "KEY_NOT_ACCEPTED_BY_PROFILE" ->
                new Explanation(
                        "It asked with a key that is not accepted; " + a.detail() + ".",
                        "make a key of a kind that the profile takes: holdfast cert profile list",
                        "weak-keys");
            case "MANUFACTURER_SERIAL_NOT_REGISTERED" ->
                new Explanation(
                        "Its manufacturer is known, its product serial is not.",
                        "register the serial number for this device",
                        "enrolment-refused");
            case "NOT_READY_FOR_PRODUCTION" ->
                new Explanation(
                        "Production certificates need a public host name and an issuer under your own root.",
                        "docs/root-ceremony.md",
                        "enrolment-refused");
            case "REFUSED_BY_A_PERSON" ->
                new Explanation(
                        "An operator refused its request.",
                        "holdfast cert request list --state refused says who and why",
                        "requests-that-wait");
            case "SUBJECT_IS_NOT_THE_DEVICE", "ALTERNATIVE_NAMES_DIFFER", "REQUEST_WANTS_A_CA" ->
                new Explanation(
                        "Its request asks for something else than its own certificate; " + a.detail() + ".",
                        "holdfast cert inspect REQUEST; leave subject and alternative names empty",
                        "enrolment-refused");
            case "CERTIFICATE_EXPIRED",
                    "CERTIFICATE_REVOKED",
                    "CERTIFICATE_SUPERSEDED",
                    "CERTIFICATE_UNKNOWN",
                    "CERTIFICATE_NOT_YET_VALID" ->
                admission(
                        new Attempt(
                                a.at(),
                                a.stage(),
                                a.cause().toUpperCase(Locale.ROOT).replace('-', '_'),
                                a.detail(),
                                a.remoteAddress(),
                                a.sure(),
                                a.times()),
                        c);
            default ->
                new Explanation(
                        "Its request for a certificate was refused; " + a.detail() + ".",
                        "the detail says what the request or the profile lacks",
                        "enrolment-refused");
        };
    }

    private static Explanation other(Attempt a) {
        return new Explanation(
                "It was refused (" + a.cause() + "); " + a.detail() + ".",
                "docs/certificates.md lists what each cause means",
                "why-a-handshake-failed");
    }
}
