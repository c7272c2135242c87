package dev.holdfast.attestation;

import dev.holdfast.core.Json;
import dev.holdfast.identity.Admission;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.identity.FailureLimits;
import dev.holdfast.identity.Identity;
import dev.holdfast.identity.TpmEvidence;
import dev.holdfast.identity.TpmFault;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.tpm.TpmFormatException;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.PeerClass;
import dev.holdfast.tls.PeerIdentity;
import dev.holdfast.tls.Problem;
import dev.holdfast.tls.RequestIntake;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/// First identity from a TPM, and attestation during life, under `/attest/v1/`.
///
/// Anybody may ask for a `challenge` and answer it with `activate`: the answer is the credential. `nonce`
/// and `quote` are for devices with an operational certificate, quarantined ones among them: attestation is
/// on the list of what heals.
public final class AttestationEndpoint {
    private static final String ROOT = "/attest/v1/";
    private static final String FORM = "POST JSON, see the recipe";
    private static final int MOST_KIBIBYTES = 64;
    /// Only for devices that have shown their certificate.
    private static final int MOST_KIBIBYTES_WITH_LOG = 768;
    private static final int AT_ONCE = 32;

    private final Attestation attestation;
    private final Identity identity;
    private final InstantSource clock;
    private final RequestIntake intake = new RequestIntake("attestation", MOST_KIBIBYTES, FORM, AT_ONCE);
    private final RequestIntake quotes = new RequestIntake("attestation", MOST_KIBIBYTES_WITH_LOG, FORM, AT_ONCE);
    private final FailureLimits failures;

    public AttestationEndpoint(Attestation attestation, Identity identity, InstantSource clock) {
        this.attestation = attestation;
        this.identity = identity;
        this.clock = clock;
        this.failures = identity.enrolment().failures();
    }

    public void mount(Router router) {
        router.post(ROOT + "quote").handler(DeviceListener.accepting(PeerClass.OPERATIONAL));
        quotes.reads(router.post(ROOT + "quote"));
        intake.reads(router.route(ROOT + "*"));
        router.post(ROOT + "challenge").handler(request -> work(request, this::challenge));
        router.post(ROOT + "activate").handler(request -> work(request, this::activate));
        router.post(ROOT + "nonce").handler(DeviceListener.accepting(PeerClass.OPERATIONAL));
        router.post(ROOT + "nonce").handler(request -> work(request, this::nonce));
        router.post(ROOT + "quote").handler(request -> work(request, this::quote));
        quotes.fails(router.post(ROOT + "quote"));
        intake.fails(router.route(ROOT + "*"));
    }

    /// What is sent back.
    private sealed interface Answer {
        @SuppressWarnings("ArrayRecordComponent") // never compared
        record Json(byte[] body) implements Answer {}

        record Refusal(int status, String type, String title, String detail, Optional<Long> retryAfter)
                implements Answer {
            Refusal(int status, String type, String title, String detail) {
                this(status, type, title, detail, Optional.empty());
            }
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Asking(byte[] body, PeerIdentity peer, Instant now) {}

    private interface Handler {
        Answer answer(Asking asking) throws MalformedEvidenceException;
    }

    /// Off the event loop, and not too many at once: each costs a few signatures.
    private void work(RoutingContext request, Handler handler) {
        Asking asking = new Asking(RequestIntake.body(request), DeviceListener.peer(request), clock.instant());
        intake.work(request, () -> {
            Answer answer = answer(asking, handler);
            return () -> send(request, answer);
        });
    }

    private static Answer answer(Asking asking, Handler handler) {
        try {
            return handler.answer(asking);
        } catch (MalformedEvidenceException e) {
            return new Answer.Refusal(
                    400, "malformed-request", "the body can't be read", String.valueOf(e.getMessage()));
        }
    }

    // ------------------------------------------------------------------ first identity

    private Answer challenge(Asking asking) throws MalformedEvidenceException {
        Attestation.Wish wish = AttestationMessages.wish(asking.body());
        try {
            return new Answer.Json(AttestationMessages.asked(attestation.ask(wish, asking.now())));
        } catch (TpmFormatException e) {
            return new Answer.Refusal(
                    400,
                    TpmFault.STRUCTURE_MALFORMED.text(),
                    "a key can't be read",
                    "ekPublic and akPublic are TPM2B_PUBLIC, as tpm2-tools write them with -u: " + e.getMessage());
        }
    }

    /// 1. The challenge must be ours. 2. The request proves its key. 3. What cryptography can say of the
    ///    evidence.
    /// 4. The decision, with everything that is looked up, in one transaction.
    private Answer activate(Asking asking) throws MalformedEvidenceException {
        Submission.Enrolment sent = AttestationMessages.enrolment(asking.body());
        Optional<Challenge> challenge = attestation.answered(sent.session(), Challenge.Purpose.ENROL);
        if (challenge.isEmpty()) {
            return new Answer.Refusal(
                    403,
                    TpmFault.NONCE_STALE.text(),
                    "the certificate was not granted",
                    "the session is none of ours; ask for a new challenge");
        }
        FailureLimits.Caller caller =
                FailureLimits.unproven(challenge.get().device(), asking.peer().remoteAddress());
        if (failures.isOver(caller, asking.now())) {
            return tooManyFailures();
        }
        return outcome(decide(asking, challenge.get(), sent));
    }

    private EnrolmentOutcome decide(Asking asking, Challenge challenge, Submission.Enrolment sent) {
        try {
            CertificationRequest request = CertificationRequest.verify(sent.request());
            return identity.enrolment()
                    .enrol(
                            request,
                            applicant(asking, challenge, attestation.evidence(challenge, sent, request, asking.now())));
        } catch (CertificationRequestException e) {
            return identity.enrolment()
                    .refused(
                            applicant(asking, challenge, new UnreadEvidence()),
                            new EnrolmentOutcome.Refused(EnrolmentRefusal.of(e), String.valueOf(e.getMessage())));
        }
    }

    private static Applicant applicant(Asking asking, Challenge challenge, TpmEvidence evidence) {
        return new Applicant(
                challenge.profile(),
                new Credential.Tpm(challenge.device(), evidence),
                false,
                CertificateProfile.Attestation.NONE,
                "attestation",
                asking.peer().remoteAddress());
    }

    private static Answer outcome(EnrolmentOutcome outcome) {
        return switch (outcome) {
            case EnrolmentOutcome.Issued issued ->
                new Answer.Json(Json.bytes(Map.of(
                        "device",
                        issued.device().id().value(),
                        "certificate",
                        AttestationMessages.base64(Certificates.der(issued.certificate())))));
            case EnrolmentOutcome.Held held ->
                new Answer.Refusal(
                        202,
                        "enrolment-held",
                        "not now",
                        held.reason(),
                        Optional.of(held.retryAfter().toSeconds()));
            case EnrolmentOutcome.Refused refused ->
                new Answer.Refusal(
                        status(refused.reason()), type(refused), "the certificate was not granted", refused.detail());
        };
    }

    /// For a TPM that is not believed the fault itself, which its detail begins with.
    private static String type(EnrolmentOutcome.Refused refused) {
        int colon = refused.detail().indexOf(':');
        return refused.reason() == EnrolmentRefusal.TPM_NOT_BELIEVED && colon > 0
                ? refused.detail().substring(0, colon)
                : refused.reason().text();
    }

    private static int status(EnrolmentRefusal reason) {
        return switch (reason.status()) {
            case BAD_REQUEST -> 400;
            case NOT_BOUND, NOT_AUTHENTICATED, NOT_ALLOWED, CONFLICT, NO_SUCH_PROFILE -> 403;
            case NOT_NOW -> 503;
        };
    }

    // ------------------------------------------------------------------ during life

    private Answer nonce(Asking asking) {
        return admitted(
                asking,
                admitted -> new Answer.Json(
                        AttestationMessages.asked(attestation.askAgain(admitted.device(), asking.now()))));
    }

    private Answer quote(Asking asking) throws MalformedEvidenceException {
        Submission.Reattestation sent = AttestationMessages.reattestation(asking.body());
        return admitted(asking, admitted -> judge(asking, admitted, sent));
    }

    /// Each failure is written down, so a device that fails again and again is slowed down, by its key.
    private Answer judge(Asking asking, Admission.Admitted admitted, Submission.Reattestation sent) {
        FailureLimits.Caller caller = FailureLimits.caller(
                new Credential.Operational(asking.peer().leaf().orElseThrow()),
                asking.peer().remoteAddress());
        if (failures.isOver(caller, asking.now())) {
            return tooManyFailures();
        }
        Verdict verdict = attestation.reattest(
                admitted.device(), attestation.answered(sent.session(), Challenge.Purpose.QUOTE), sent);
        if (!verdict.passed()) {
            failures.refused(caller, EnrolmentRefusal.TPM_NOT_BELIEVED, asking.now());
        }
        return new Answer.Json(AttestationMessages.verdict(verdict));
    }

    private static Answer tooManyFailures() {
        return new Answer.Refusal(
                429, "too-many-failures", "too many failed attempts", "wait a minute", Optional.of(60L));
    }

    private interface Inside {
        Answer answer(Admission.Admitted admitted);
    }

    private Answer admitted(Asking asking, Inside inside) {
        Admission admission = asking.peer()
                .leaf()
                .map(leaf -> identity.admit(leaf, asking.now()))
                .orElse(new Admission.Refused(Admission.Refusal.NO_CERTIFICATE, "no certificate"));
        return switch (admission) {
            case Admission.Admitted admitted -> inside.answer(admitted);
            case Admission.Refused refused ->
                refused.reason() == Admission.Refusal.SERVER_CANNOT_CHECK
                        ? new Answer.Refusal(
                                503,
                                "cannot-check",
                                "the server can't check certificates now",
                                "come back in a while",
                                Optional.of(30L))
                        : new Answer.Refusal(
                                403,
                                "not-admitted",
                                "this certificate is not admitted",
                                refused.reason() + ": " + refused.detail());
        };
    }

    // ------------------------------------------------------------------ answers

    private static void send(RoutingContext request, Answer answer) {
        if (request.response().ended() || request.response().closed()) {
            return;
        }
        switch (answer) {
            case Answer.Json json ->
                request.response()
                        .putHeader("content-type", "application/json")
                        .putHeader("cache-control", "no-store")
                        .end(Buffer.buffer(json.body()));
            case Answer.Refusal refusal -> {
                refusal.retryAfter()
                        .ifPresent(seconds -> request.response().putHeader("retry-after", Long.toString(seconds)));
                Problem.send(request, refusal.status(), refusal.type(), refusal.title(), refusal.detail());
            }
        }
    }
}
