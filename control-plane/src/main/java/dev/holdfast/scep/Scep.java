package dev.holdfast.scep;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.identity.FailureLimits;
import dev.holdfast.identity.Identity;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.scep.ChallengePassword;
import dev.holdfast.protocol.scep.FailInfo;
import dev.holdfast.protocol.scep.ScepException;
import dev.holdfast.protocol.scep.ScepReply;
import dev.holdfast.protocol.scep.ScepRequest;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What SCEP's messages come to. The registration authority only opens and answers; whether there is a
/// certificate is decided where it is for every protocol.
public final class Scep {
    private static final Logger LOG = LoggerFactory.getLogger(Scep.class);

    private static final Map<EnrolmentRefusal, FailInfo> OWN_WORDS = Map.of(
            EnrolmentRefusal.SIGNATURE_SCHEME_NOT_ACCEPTED, FailInfo.BAD_ALGORITHM,
            EnrolmentRefusal.KEY_WEAK, FailInfo.BAD_ALGORITHM,
            EnrolmentRefusal.KEY_NOT_ACCEPTED, FailInfo.BAD_ALGORITHM,
            EnrolmentRefusal.REQUEST_SIGNATURE_WRONG, FailInfo.BAD_MESSAGE_CHECK,
            // As what can't be opened: who recorded a message could try changed ones, and learn from the difference
            // which of them end in the right padding, octet by octet what the message said.
            EnrolmentRefusal.MALFORMED_REQUEST, FailInfo.BAD_MESSAGE_CHECK);

    private final Identity identity;
    private final Ca ca;
    private final RegistrationAuthority registration;
    private final Environment environment;
    private final FailureLimits failures;
    private final Waiting waiting;
    private final InstantSource clock;
    private final SecureRandom random;

    /// @param installation the installation's secret, the same on every node
    public Scep(
            Database database,
            Identity identity,
            Ca ca,
            RegistrationAuthority registration,
            Environment environment,
            byte[] installation,
            InstantSource clock,
            SecureRandom random) {
        this.identity = identity;
        this.ca = ca;
        this.registration = registration;
        this.environment = environment;
        this.failures = identity.enrolment().failures();
        this.waiting = new Waiting(database, environment, installation, random, clock);
        this.clock = clock;
        this.random = random;
    }

    /// RFC 8894 section 3.5.2: nothing that is not AES and SHA-2.
    static String capabilities() {
        return "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n";
    }

    /// Section 4.2.1.2: the registration authority's certificate first, then the devices' issuer and what is
    /// above both.
    byte[] authorities() {
        List<X509Certificate> all =
                new ArrayList<>(List.of(registration.credential().certificate()));
        add(all, ca.authorities().devices(environment).orElseThrow());
        add(all, ca.authorities().server());
        return CertificatesOnly.encode(all);
    }

    private static void add(List<X509Certificate> all, Authority authority) {
        List<X509Certificate> chain = new ArrayList<>(List.of(authority.certificate()));
        chain.addAll(authority.above());
        chain.stream().filter(one -> !all.contains(one)).forEach(all::add);
    }

    /// Section 3: 1. the signature, with the certificate in the message; 2. what it asks; 3. the answer,
    /// signed.
    ///
    /// @param profile empty for `device`, or a renewal's own
    /// @return empty for what is no message to answer
    Optional<byte[]> answer(byte[] message, Optional<String> profile, String remoteAddress) {
        ScepRequest request;
        try {
            request = ScepRequest.parse(message);
        } catch (ScepException e) {
            LOG.debug("SCEP message from {} not taken: {}", remoteAddress, e.getMessage());
            return Optional.empty();
        }
        RegistrationAuthority.Credential own = registration.credential();
        ScepReply reply = new ScepReply(own.key(), own.certificate(), random);
        try {
            return Optional.of(
                    switch (request.type()) {
                        case PKCS_REQ -> asked(request, reply, own, profile, remoteAddress, false);
                        case RENEWAL_REQ -> asked(request, reply, own, profile, remoteAddress, true);
                        case CERT_POLL -> polled(request, reply);
                    });
        } catch (ScepException e) {
            LOG.debug("SCEP request from {} refused: {}", remoteAddress, e.getMessage());
            return Optional.of(reply.failure(request, e.info()));
        }
    }

    private byte[] asked(
            ScepRequest request,
            ScepReply reply,
            RegistrationAuthority.Credential own,
            Optional<String> profile,
            String remoteAddress,
            boolean renewal)
            throws ScepException {
        byte[] der = request.open(own.key(), own.certificate(), random);
        CertificationRequest read;
        try {
            read = CertificationRequest.verify(der);
        } catch (CertificationRequestException e) {
            LOG.debug("SCEP request from {}: {}", remoteAddress, e.getMessage());
            return reply.failure(request, failure(EnrolmentRefusal.of(e)));
        }
        Optional<Credential> credential = renewal ? certificate(request.signer()) : token(request, read, der);
        if (credential.isEmpty()) {
            return reply.failure(request, renewal ? FailInfo.BAD_CERTIFICATE_ID : FailInfo.BAD_REQUEST);
        }
        FailureLimits.Caller caller = FailureLimits.caller(credential.get(), remoteAddress);
        if (failures.isOver(caller, clock.instant())) {
            return reply.failure(request, FailInfo.BAD_REQUEST);
        }
        Applicant applicant = new Applicant(
                profile, credential.get(), false, CertificateProfile.Attestation.NONE, "SCEP", remoteAddress);
        return render(request, reply, read, applicant, caller);
    }

    private byte[] render(
            ScepRequest request,
            ScepReply reply,
            CertificationRequest read,
            Applicant applicant,
            FailureLimits.Caller caller)
            throws ScepException {
        String key = fingerprint(request);
        return switch (identity.enrolment().enrol(read, applicant)) {
            case EnrolmentOutcome.Issued issued -> {
                waiting.remove(request.transactionId(), key);
                List<X509Certificate> chain = new ArrayList<>(List.of(issued.certificate()));
                add(chain, ca.authorities().devices(environment).orElseThrow());
                yield reply.success(request, chain);
            }
            case EnrolmentOutcome.Held _ -> {
                waiting.put(request.transactionId(), key, read.der(), applicant);
                yield reply.pending(request);
            }
            case EnrolmentOutcome.Refused refused -> {
                waiting.remove(request.transactionId(), key);
                failures.refused(caller, refused.reason(), clock.instant());
                yield reply.failure(request, failure(refused.reason()));
            }
        };
    }

    /// Section 3.2.1.4.5 has five words, and most of what can be wrong is `badRequest`.
    private static FailInfo failure(EnrolmentRefusal reason) {
        return OWN_WORDS.getOrDefault(reason, FailInfo.BAD_REQUEST);
    }

    /// Section 3.3.3 (CertPoll): by who asked before, with the same key.
    private byte[] polled(ScepRequest request, ScepReply reply) throws ScepException {
        Optional<Waiting.Asked> found = waiting.find(request.transactionId(), fingerprint(request));
        if (found.isEmpty()) {
            return reply.failure(request, FailInfo.BAD_CERTIFICATE_ID);
        }
        Applicant applicant = found.get().applicant();
        return render(
                request,
                reply,
                found.get().request(),
                applicant,
                FailureLimits.caller(applicant.credential(), applicant.remoteAddress()));
    }

    /// Section 2.3: the message is signed by the key that is to be certified; the one-time secret is in the
    /// request.
    private static Optional<Credential> token(ScepRequest request, CertificationRequest read, byte[] der) {
        return Arrays.equals(
                        request.signer().getPublicKey().getEncoded(),
                        read.publicKey().getEncoded())
                ? ChallengePassword.of(der)
                        .flatMap(secret -> read.commonName()
                                .flatMap(DeviceId::parse)
                                .map(device -> new Credential.Token(device, secret)))
                : Optional.empty();
    }

    /// The very certificate that we issued, not one that only says the same serial.
    private Optional<Credential> certificate(X509Certificate signer) {
        BigInteger number = signer.getSerialNumber();
        return number.signum() <= 0 || number.bitLength() > 160
                ? Optional.empty()
                : identity.certificate(Serial.of(number))
                        .filter(known -> known.device().isPresent())
                        .flatMap(IssuedCertificate::der)
                        .filter(der -> Arrays.equals(der, Certificates.der(signer)))
                        .map(_ -> new Credential.Operational(signer));
    }

    private static String fingerprint(ScepRequest request) {
        return Certificates.keyFingerprint(request.signer().getPublicKey().getEncoded());
    }
}
