package dev.holdfast.cmp;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Admission;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.identity.FailureLimits;
import dev.holdfast.identity.Identity;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.protocol.cmp.CmpException;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.cmp.CmpMessage;
import dev.holdfast.protocol.cmp.MessageProtection;
import dev.holdfast.tls.DeviceTls;
import dev.holdfast.tls.PeerClass;
import dev.holdfast.tls.PeerIdentity;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

/// Finds out whose a message is. TLS has no say in it: authentication is the message's own protection (RFC
/// 9483 section 3.2), so a proxy may stand between.
final class Parties {
    private static final String NOT_RIGHT = "no such shared secret, or the message authentication code is not right";

    private final Identity identity;
    private final DeviceTls tls;
    private final InstantSource clock;

    Parties(Identity identity, DeviceTls tls, InstantSource clock) {
        this.identity = identity;
        this.tls = tls;
        this.clock = clock;
    }

    /// @throws CmpException when it is nobody's, or somebody's who has failed too often lately
    Party of(CmpMessage message, String remoteAddress) throws CmpException {
        return switch (MessageProtection.of(message)) {
            case MessageProtection.BySecret by -> bySecret(by, remoteAddress);
            case MessageProtection.BySignature by -> {
                PeerIdentity signer = tls.signer(by.chain(), remoteAddress)
                        .orElseThrow(() -> new CmpException(
                                CmpFailure.SIGNER_NOT_TRUSTED,
                                "the certificate that protects leads to no authority of ours and no registered"
                                        + " manufacturer"));
                if (signer.peerClass() == PeerClass.CLAIM) {
                    throw new CmpException(
                            CmpFailure.NOT_AUTHORIZED,
                            "a claim certificate is many devices' and proves none: claim over EST (simpleenroll)");
                }
                Party party = signer.anchor().isPresent()
                        ? new Party.ByManufacturer(by.leaf(), signer.anchor().get())
                        : new Party.ByDevice(by.leaf());
                requirePatience(FailureLimits.caller(party.credential(), remoteAddress));
                yield party;
            }
        };
    }

    private void requirePatience(FailureLimits.Caller caller) throws CmpException {
        if (identity.enrolment().failures().isOver(caller, clock.instant())) {
            throw new CmpException(CmpFailure.SYSTEM_UNAVAIL, "too many failed attempts; wait a minute");
        }
    }

    /// Whether the secret exists is not told, and a wrong code counts as a failed attempt at it.
    private Party bySecret(MessageProtection.BySecret by, String remoteAddress) throws CmpException {
        String reference = new String(by.reference().getOctets(), StandardCharsets.ISO_8859_1);
        Optional<DeviceId> plain = DeviceId.parse(reference);
        if (plain.isEmpty()) {
            throw new CmpException(CmpFailure.BAD_MESSAGE_CHECK, NOT_RIGHT);
        }
        Optional<SharedSecrets.Known> known = identity.secrets().find(reference);
        DeviceId named =
                known.map(SharedSecrets.Known::device).map(DeviceRef::id).orElse(plain.get());
        FailureLimits.Caller caller = FailureLimits.unproven(named, remoteAddress);
        requirePatience(caller);
        if (known.isPresent() && by.verify(known.get().text().getBytes(StandardCharsets.US_ASCII))) {
            return new Party.BySecret(known.get(), by.algorithm());
        }
        identity.enrolment().failures().refused(caller, EnrolmentRefusal.SECRET_WRONG, clock.instant());
        identity.enrolment()
                .refused(
                        Applicant.of("CMP", new Credential.SharedSecret(named, reference), remoteAddress),
                        new EnrolmentOutcome.Refused(EnrolmentRefusal.SECRET_WRONG, NOT_RIGHT));
        throw new CmpException(CmpFailure.BAD_MESSAGE_CHECK, NOT_RIGHT);
    }

    /// For what needs no grant (questions, revocations): whether the party may be talked to at all.
    ///
    /// @throws CmpException when its secret, its certificate or its device does not count any more
    void requireStanding(Party party) throws CmpException {
        switch (party) {
            case Party.BySecret by -> {
                if (by.secret().withdrawn()
                        || clock.instant().isAfter(by.secret().expiresAt())) {
                    throw new CmpException(CmpFailure.NOT_AUTHORIZED, "the shared secret has expired or was withdrawn");
                }
            }
            case Party.ByManufacturer by -> requireInTime(by.leaf());
            case Party.ByDevice by -> device(by);
        }
    }

    /// The device of a certificate that counts.
    ///
    /// @throws CmpException when the certificate or the device does not
    DeviceRef device(Party.ByDevice by) throws CmpException {
        requireInTime(by.leaf());
        Serial serial = Serial.of(by.leaf().getSerialNumber());
        Optional<DeviceRef> owner = identity.owner(serial);
        if (owner.isPresent()) {
            // While a restore is not settled nothing is granted, but a device may still say that its key is stolen, and
            // ask what anybody may know.
            Admission admission =
                    identity.blind() ? identity.admit(owner.get(), serial) : identity.lastKnown(owner.get(), serial);
            return switch (admission) {
                case Admission.Admitted admitted -> admitted.device();
                case Admission.Refused refused ->
                    throw new CmpException(
                            refused.reason() == Admission.Refusal.SERVER_CANNOT_CHECK
                                    ? CmpFailure.SYSTEM_UNAVAIL
                                    : CmpFailure.NOT_AUTHORIZED,
                            refused.detail());
            };
        }
        throw new CmpException(CmpFailure.SIGNER_NOT_TRUSTED, "the certificate that protects is no device's of ours");
    }

    private void requireInTime(X509Certificate leaf) throws CmpException {
        Instant now = clock.instant();
        if (now.isBefore(leaf.getNotBefore().toInstant())
                || now.isAfter(leaf.getNotAfter().toInstant())) {
            throw new CmpException(CmpFailure.SIGNER_NOT_TRUSTED, "the certificate that protects is not valid now");
        }
    }
}
