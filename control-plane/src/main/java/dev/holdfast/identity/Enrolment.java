package dev.holdfast.identity;

import dev.holdfast.ca.ApprovedRequest;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.CertificateStanding;
import dev.holdfast.ca.Intended;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Enrolment and renewal, for every protocol alike: facts, decision, intent, signature, certificate.
///
/// Where the authority's key signs quickly, all in one transaction: a crash before it is durable leaves nothing,
/// one after it a certificate that the device's next try gets.
///
/// Where it does not (a hardware module), two transactions with the signature between them, so that nobody's
/// locks wait for it. A crash after the first leaves an intent that is finished at the next start, or by the
/// device's next try, whichever is first. A token is used up in the first, by the intent's serial.
public final class Enrolment {
    private static final Logger LOG = LoggerFactory.getLogger(Enrolment.class);
    private static final Duration NEWS = Duration.ofSeconds(2);

    private final Journal journal;
    private final Inventory inventory;
    private final Ca ca;
    private final EnrolmentTokens tokens;
    private final SharedSecrets secrets;
    private final HeldRequests held;
    private final FailureLimits failures = new FailureLimits();
    private final Claims claims;
    private final Freeze freeze;
    private final Environment environment;
    private final EnrolmentInquiry inquiry;
    private final RefusalJournal refusals;
    private volatile BiConsumer<DeviceRef, Optional<DeviceRef>> sharedKey = (_, _) -> {};
    private final List<RefusalListener> refusalListeners = new CopyOnWriteArrayList<>();

    Enrolment(
            Journal journal,
            Inventory inventory,
            Ca ca,
            EnrolmentTokens tokens,
            SharedSecrets secrets,
            HeldRequests held,
            Manufacturers manufacturers,
            Claims claims,
            Freeze freeze,
            Environment environment) {
        this.journal = journal;
        this.inventory = inventory;
        this.ca = ca;
        this.tokens = tokens;
        this.secrets = secrets;
        this.held = held;
        this.inquiry =
                new EnrolmentInquiry(inventory, ca, tokens, secrets, held, manufacturers, claims, freeze, environment);
        this.claims = claims;
        this.freeze = freeze;
        this.environment = environment;
        this.refusals = new RefusalJournal(environment);
    }

    /// Who hears of every refusal: the device named (which may have nothing to do with it, and may not exist),
    /// why, and, as our socket saw it, where it came from.
    @FunctionalInterface
    public interface RefusalListener {
        void refused(DeviceRef named, EnrolmentRefusal reason, String detail, String remoteAddress);
    }

    public void onRefusal(RefusalListener listener) {
        refusalListeners.add(listener);
    }

    /// Who hears that a device asked for a certificate for another one's key; must not block, and may hear it
    /// twice.
    public void onSharedKey(BiConsumer<DeviceRef, Optional<DeviceRef>> ownerAndAsker) {
        sharedKey = ownerAndAsker;
    }

    private sealed interface Step {
        record Done(EnrolmentOutcome outcome) implements Step {}

        /// The certificate is stored with the transaction.
        record Stored(EnrolmentOutcome.Issued outcome) implements Step {}

        record Sign(Intended intended) implements Step {}
    }

    /// Grants, holds or refuses; durable when it returns. Blocks: not for event loops.
    ///
    /// @param request PKCS #10, DER
    public EnrolmentOutcome enrol(byte[] request, Applicant applicant) {
        CertificationRequest verified;
        try {
            verified = CertificationRequest.verify(request);
        } catch (CertificationRequestException e) {
            return refused(
                    applicant, new EnrolmentOutcome.Refused(EnrolmentRefusal.of(e), String.valueOf(e.getMessage())));
        }
        return enrol(verified, applicant);
    }

    /// As the other, for protocols whose requests are not PKCS #10.
    public EnrolmentOutcome enrol(CertificationRequest request, Applicant applicant) {
        EnrolmentOutcome outcome = switch (journal.commit(tx -> decide(tx, request, applicant))) {
            case Step.Done done -> done.outcome();
            case Step.Stored stored -> {
                awaitNews();
                yield stored.outcome();
            }
            case Step.Sign sign -> finish(sign.intended());
        };
        return outcome instanceof EnrolmentOutcome.Refused refused ? refused(applicant, refused) : outcome;
    }

    /// A request that a protocol had to refuse before there was anything to decide about: heard of and recorded
    /// like every other.
    public EnrolmentOutcome.Refused refused(Applicant applicant, EnrolmentOutcome.Refused refused) {
        Optional<DeviceRef> named = named(applicant.credential());
        named.ifPresent(device -> refusalListeners.forEach(l -> l.refused(
                device, refused.reason(), applicant.protocol() + ": " + refused.detail(), applicant.remoteAddress())));
        refusals.entry(
                        applicant.credential(),
                        named.filter(d -> inventory.directory().find(d).isPresent()),
                        refused,
                        System.nanoTime())
                .ifPresent(entry -> {
                    try {
                        journal.run(tx -> tx.record(entry));
                    } catch (RuntimeException e) {
                        LOG.warn("a refusal could not be recorded: {}", e.toString());
                    }
                });
        return refused;
    }

    /// Slows down whoever fails to authenticate, over all protocols together.
    public FailureLimits failures() {
        return failures;
    }

    /// Whom the credential is about, as far as it says.
    private Optional<DeviceRef> named(Credential credential) {
        return switch (credential) {
            case Credential.Token token -> Optional.of(new DeviceRef(environment, token.device()));
            case Credential.SharedSecret secret -> Optional.of(new DeviceRef(environment, secret.device()));
            case Credential.Account account -> Optional.of(new DeviceRef(environment, account.device()));
            case Credential.Tpm tpm -> Optional.of(new DeviceRef(environment, tpm.device()));
            case Credential.Claim claim -> Optional.of(new DeviceRef(environment, claim.device()));
            case Credential.Manufacturer by ->
                Certificates.productSerial(by.leaf())
                        .or(() -> Certificates.commonName(by.leaf()))
                        .flatMap(DeviceId::parse)
                        .map(id -> new DeviceRef(environment, id));
            case Credential.Operational by ->
                ca.standings().find(Serial.of(by.leaf().getSerialNumber())).flatMap(CertificateStanding::device);
        };
    }

    private Step decide(Transaction tx, CertificationRequest request, Applicant applicant) {
        EnrolmentFacts facts = inquiry.facts(tx, request, applicant);
        EnrolmentDecision decision = EnrolmentPolicy.decide(facts, request, applicant, tx.now());
        if (applicant.credential() instanceof Credential.Tpm tpm
                && facts.proof() instanceof EnrolmentFacts.Proof.ByTpm by) {
            tell(tx, tpm.evidence(), facts.device().orElseThrow(), by.facts(), decision);
        }
        return switch (decision) {
            case EnrolmentDecision.Refuse refuse -> {
                if (refuse.reason() == EnrolmentRefusal.KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE) {
                    facts.keyOwner().ifPresent(owner -> sharedKey.accept(owner, facts.device()));
                }
                yield new Step.Done(new EnrolmentOutcome.Refused(refuse.reason(), refuse.detail()));
            }
            case EnrolmentDecision.Hold hold ->
                new Step.Done(new EnrolmentOutcome.Held(hold.retryAfter(), hold.reason()));
            case EnrolmentDecision.HoldForPerson hold -> new Step.Done(holdForPerson(tx, applicant, facts, hold));
            case EnrolmentDecision.Repeat repeat -> {
                Optional<X509Certificate> signed = ca.issuance().stored(tx, repeat.serial());
                yield signed.isPresent()
                        ? new Step.Done(new EnrolmentOutcome.Issued(
                                facts.device().orElseThrow(),
                                signed.get(),
                                ca.issuance().renewAt(tx, repeat.serial()).orElseThrow()))
                        : new Step.Sign(
                                ca.issuance().intended(tx, repeat.serial()).orElseThrow());
            }
            case EnrolmentDecision.Grant grant -> grant(tx, grant.request(), facts);
        };
    }

    private static void tell(
            Transaction tx, TpmEvidence evidence, DeviceRef device, TpmFacts facts, EnrolmentDecision decision) {
        switch (decision) {
            case EnrolmentDecision.Grant _, EnrolmentDecision.Repeat _ -> evidence.granted(tx, device, facts);
            case EnrolmentDecision.Refuse refuse ->
                evidence.notGranted(tx, device, facts, refuse.reason().text() + ": " + refuse.detail());
            case EnrolmentDecision.Hold hold -> evidence.notGranted(tx, device, facts, hold.reason());
            case EnrolmentDecision.HoldForPerson hold -> evidence.notGranted(tx, device, facts, hold.reason());
        }
    }

    private EnrolmentOutcome holdForPerson(
            Transaction tx, Applicant applicant, EnrolmentFacts facts, EnrolmentDecision.HoldForPerson hold) {
        Optional<EnrolmentFacts.Unregistered> unregistered =
                hold.cause() == HeldRequests.Cause.UNREGISTERED_SERIAL ? facts.unregistered() : Optional.empty();
        boolean taken = held.hold(
                tx,
                environment,
                facts.device().map(d -> d.id().value()).orElse(""),
                unregistered.map(EnrolmentFacts.Unregistered::key).orElseGet(facts::about),
                hold.cause(),
                applicant.credential().text(),
                hold.reason() + "; " + facts.inWords() + ", over " + applicant.protocol() + " from "
                        + applicant.remoteAddress(),
                unregistered.map(EnrolmentFacts.Unregistered::product));
        return taken
                ? new EnrolmentOutcome.Held(hold.retryAfter(), hold.reason())
                : new EnrolmentOutcome.Refused(
                        EnrolmentRefusal.TOO_MANY_REQUESTS_WAIT, "too many requests wait for a person already");
    }

    private Step grant(Transaction tx, ApprovedRequest request, EnrolmentFacts facts) {
        DeviceRef device = request.device().orElseThrow();
        Actor actor = new Actor.Device(device);
        Intended planned = ca.issuance().plan(tx, request);
        use(tx, facts, device, planned.serial());
        if (!ca.issuance().isQuick(request.environment())) {
            ca.issuance().intend(tx, planned);
            return new Step.Sign(planned);
        }
        // The device is locked: it is still in the state that the decision was about.
        if (facts.state().filter(Lifecycle.REGISTERED::equals).isPresent()) {
            enrolled(tx, device, actor);
        }
        X509Certificate signed = ca.issuance().issue(tx, planned, actor);
        return new Step.Stored(new EnrolmentOutcome.Issued(device, signed, planned.renewAt()));
    }

    /// What can be used so many times is used once more.
    private void use(Transaction tx, EnrolmentFacts facts, DeviceRef device, Serial serial) {
        switch (facts.proof()) {
            case EnrolmentFacts.Proof.ByToken by -> tokens.use(tx, by.token().orElseThrow(), serial);
            case EnrolmentFacts.Proof.ByClaim by -> claims.use(tx, by.claim().orElseThrow(), device, serial);
            case EnrolmentFacts.Proof.BySharedSecret by ->
                secrets.use(tx, by.secret().orElseThrow().id(), serial.hex());
            case EnrolmentFacts.Proof.ByAccount _,
                    EnrolmentFacts.Proof.ByTpm _,
                    EnrolmentFacts.Proof.ByManufacturer _,
                    EnrolmentFacts.Proof.ByCertificate _ -> {}
        }
    }

    private void enrolled(Transaction tx, DeviceRef device, Actor actor) {
        inventory.transitionFrom(tx, device, Lifecycle.REGISTERED, Lifecycle.ENROLLED, "has its certificate", actor);
    }

    /// Steps 2 and 3 of issuing; harmless to do again.
    private EnrolmentOutcome finish(Intended intended) {
        DeviceRef device = intended.device().orElseThrow();
        X509Certificate signed = ca.issuance().sign(intended);
        Actor actor = new Actor.Device(device);
        Optional<X509Certificate> stored = journal.commit(tx -> {
            enrolled(tx, device, actor);
            return ca.issuance().store(tx, intended, signed, actor);
        });
        if (stored.isEmpty()) {
            return new EnrolmentOutcome.Refused(
                    EnrolmentRefusal.CERTIFICATE_REVOKED, "it was revoked before it was signed");
        }
        awaitNews();
        return new EnrolmentOutcome.Issued(device, stored.get(), intended.renewAt());
    }

    /// A device connects right after it has its certificate: this node's memory must have heard of it by then.
    private void awaitNews() {
        try {
            if (!journal.awaitDelivered(NEWS)) {
                LOG.warn("this node's memory has not heard of a new certificate within {}", NEWS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Finishes what a crash left between intent and signature; called once at start.
    ///
    /// @return how many
    public int finishInterrupted() {
        List<Serial> unfinished = ca.issuance().unfinished();
        for (Serial serial : unfinished) {
            Optional<Intended> intended = journal.commit(tx -> ca.issuance().intended(tx, serial));
            if (intended.isPresent() && !freeze.isFrozen()) {
                finish(intended.get());
                LOG.info("finished the interrupted issuing of certificate {}", serial);
            }
        }
        return unfinished.size();
    }
}
