package dev.holdfast.est;

import dev.holdfast.ca.Ca;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.est.EstAnswers.Body;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.identity.Identity;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.Profiles;
import dev.holdfast.protocol.cms.KeyEnvelope;
import dev.holdfast.protocol.est.ChannelBinding;
import dev.holdfast.protocol.est.ServerKeyAnswer;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import dev.holdfast.protocol.x509.ServerKeyRequest;
import dev.holdfast.tls.PeerIdentity;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// From a request as it came to what `identity` decides about it; blocks.
final class EstDecisions {
    private static final Duration BUSY = Duration.ofSeconds(5);

    private final Identity identity;
    private final Ca ca;
    private final Environment environment;
    private final ServerKeys keys;
    private final Supplier<KeyEnvelope.Signer> signer;
    private final InstantSource clock;

    EstDecisions(
            Identity identity,
            Ca ca,
            Environment environment,
            ServerKeys keys,
            Supplier<KeyEnvelope.Signer> signer,
            InstantSource clock) {
        this.identity = identity;
        this.ca = ca;
        this.environment = environment;
        this.keys = keys;
        this.signer = signer;
        this.clock = clock;
    }

    /// @param der PKCS #10
    /// @param channel what the TLS channel exports for binding (RFC 9266); empty where it can't
    @SuppressWarnings("ArrayRecordComponent") // nobody compares these
    record EstCall(byte[] der, Applicant applicant, PeerIdentity peer, Optional<byte[]> channel) {}

    /// @param answer what a granted certificate is answered with; null for the certificate alone
    record Decided(EnrolmentOutcome outcome, @Nullable Function<X509Certificate, Body> answer) {
        static Decided plainly(EnrolmentOutcome outcome) {
            return new Decided(outcome, null);
        }
    }

    /// `simpleenroll` and `simplereenroll`.
    Decided enrol(EstCall call) {
        try {
            return Decided.plainly(bound(call, CertificationRequest.verify(call.der())));
        } catch (CertificationRequestException e) {
            return refused(call, EnrolmentRefusal.of(e), String.valueOf(e.getMessage()));
        }
    }

    /// RFC 7030 section 3.5: a binding that is there is compared, whether the profile wants one or not. Where
    /// the channel exports nothing there is nothing to compare it with, and it counts as none.
    private EnrolmentOutcome bound(EstCall call, CertificationRequest request) {
        return switch (ChannelBinding.compare(request.channelBinding(), call.channel())) {
            case ABSENT, NOT_COMPARABLE -> identity.enrolment().enrol(request, call.applicant());
            case RIGHT ->
                identity.enrolment()
                        .enrol(
                                request,
                                new Applicant(
                                        call.applicant().profile(),
                                        call.applicant().credential(),
                                        true,
                                        call.applicant().attested(),
                                        call.applicant().protocol(),
                                        call.applicant().remoteAddress()));
            case WRONG ->
                identity.enrolment()
                        .refused(
                                call.applicant(),
                                new EnrolmentOutcome.Refused(
                                        EnrolmentRefusal.CHANNEL_BINDING_WRONG,
                                        "the request is bound to another TLS channel: make it anew on this one"));
        };
    }

    /// `serverkeygen` (section 4.4). 1. The profile has keys made here. 2. To whom the key goes is known,
    /// before anything is granted. 3. The key is made, and the request decided with it. 4. The answer has
    /// both.
    Decided withServerKey(EstCall call) {
        ServerKeyRequest request;
        try {
            request = ServerKeyRequest.read(call.der());
        } catch (CertificationRequestException e) {
            return refused(call, EnrolmentRefusal.of(e), String.valueOf(e.getMessage()));
        }
        Optional<CertificateProfile> profile = ca.profiles().find(environment, profile(call.applicant()));
        if (profile.isEmpty() || !profile.get().keys().serverGenerated()) {
            return refused(
                    call,
                    EnrolmentRefusal.SERVER_KEY_NOT_OFFERED_BY_PROFILE,
                    "keys are made on the device: use simpleenroll");
        }
        ServerKeys.Protection protection =
                keys.protection(request, device(call.applicant().credential()), call.peer(), clock.instant());
        if (protection instanceof ServerKeys.Protection.Unknown unknown) {
            return refused(call, EnrolmentRefusal.ENCRYPTION_KEY_UNKNOWN, unknown.why());
        }
        Optional<KeyPair> made = keys.make(ServerKeys.kind(request, profile.get()));
        if (made.isEmpty()) {
            return Decided.plainly(new EnrolmentOutcome.Held(BUSY, "too many keys are being made at this moment"));
        }
        try {
            return new Decided(
                    bound(call, request.with(made.get())), certificate -> answer(made.get(), protection, certificate));
        } catch (CertificationRequestException e) {
            return refused(call, EnrolmentRefusal.of(e), String.valueOf(e.getMessage()));
        }
    }

    private Body answer(KeyPair made, ServerKeys.Protection protection, X509Certificate certificate) {
        byte[] certificates = EstAnswers.certificatesOnly(certificate);
        return new Body(
                ServerKeyAnswer.CONTENT_TYPE,
                switch (protection) {
                    case ServerKeys.Protection.Channel _ ->
                        ServerKeyAnswer.plain(made.getPrivate().getEncoded(), certificates);
                    case ServerKeys.Protection.Envelope to ->
                        ServerKeyAnswer.encrypted(
                                KeyEnvelope.seal(made.getPrivate(), signer.get(), to.recipient(), keys.random()),
                                certificates);
                    case ServerKeys.Protection.Unknown _ -> throw new IllegalStateException("refused before");
                });
    }

    /// A renewal's profile is its certificate's, whatever it asks for; the policy says so where they differ.
    private String profile(Applicant applicant) {
        Optional<String> own = applicant.credential() instanceof Credential.Operational by
                ? identity.certificate(Serial.of(by.leaf().getSerialNumber())).map(IssuedCertificate::profile)
                : Optional.empty();
        return own.or(applicant::profile).orElse(Profiles.DEVICE);
    }

    /// Whom the credential names, as far as that is known before the decision.
    private Optional<DeviceRef> device(Credential credential) {
        return switch (credential) {
            case Credential.Token by -> Optional.of(new DeviceRef(environment, by.device()));
            case Credential.Operational by -> identity.owner(Serial.of(by.leaf().getSerialNumber()));
            case Credential.SharedSecret _,
                    Credential.Account _,
                    Credential.Tpm _,
                    Credential.Manufacturer _,
                    Credential.Claim _ -> Optional.empty();
        };
    }

    private Decided refused(EstCall call, EnrolmentRefusal reason, String detail) {
        return Decided.plainly(
                identity.enrolment().refused(call.applicant(), new EnrolmentOutcome.Refused(reason, detail)));
    }
}
