package dev.holdfast.firmware;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.ModelId;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What may be installed: uploads, trust anchors, releases.
///
/// A release exists only with its signature verified against a key that an operator registered. Everything here
/// blocks: not for event loops.
public final class Firmware {
    private final Database database;
    private final Journal journal;
    private final ArtifactStore files;
    private final Registration registration;

    /// @param folder where artifacts are kept; nodes that share a database share it too
    /// @param mostOctets the size of the largest artifact
    public Firmware(Database database, Journal journal, Inventory inventory, Path folder, long mostOctets) {
        this.database = database;
        this.journal = journal;
        this.files = new ArtifactStore(folder, mostOctets);
        this.registration = new Registration(this, journal, inventory);
    }

    /// What an operator adds to the signed description of a release.
    ///
    /// @param irreversible devices won't be able to go back: allows the counter to rise, and asks for an approval
    /// @param registrar who answers for it: the person behind the actor, who may not approve it too
    /// @param expected what the operator takes it for; registered only when the signed description says the same
    public record Declaration(
            Environment environment,
            boolean irreversible,
            String registrar,
            String notes,
            Optional<Expected> expected) {

        public Declaration(Environment environment, boolean irreversible) {
            this(environment, irreversible, "", "", Optional.empty());
        }
    }

    /// @param hardware a revision that must be among those it fits, or empty
    public record Expected(ModelId model, FirmwareVersion version, Digest image, Optional<String> hardware) {}

    /// Reads the stream to its end and keeps it under its digest; the same content twice is kept once.
    public Stored upload(
            Environment environment, String fileName, InputStream content, Optional<Digest> expected, Actor actor) {
        Artifact.requireFileName(fileName);
        Stored stored = files.store(content, fileName, expected);
        if (stored instanceof Stored.Done done) {
            journal.run(tx -> {
                if (FirmwareStore.putArtifact(tx.sql(), environment, done.artifact(), tx.now())) {
                    tx.record(new Entry(
                            "firmware.uploaded",
                            environment,
                            "artifact:" + done.artifact().sha256(),
                            actor,
                            "artifact uploaded",
                            Map.of("fileName", fileName, "size", done.artifact().size())));
                }
            });
        }
        return stored;
    }

    public Optional<Artifact> artifact(Environment environment, Digest digest) {
        return database.read(sql -> FirmwareStore.artifact(sql, environment, digest));
    }

    public List<Artifact> artifacts(Environment environment, int limit) {
        return database.read(sql -> FirmwareStore.artifacts(sql, environment, limit));
    }

    InputStream open(Digest artifact) throws IOException {
        return files.open(artifact);
    }

    /// The file, for an edge to send.
    public Optional<Path> file(Artifact artifact) {
        return files.has(artifact.sha256()) ? Optional.of(files.path(artifact.sha256())) : Optional.empty();
    }

    /// Registers a trust anchor: a PEM public key on P-256 (manifest) or a PEM certificate (swu).
    ///
    /// @throws IllegalArgumentException when the PEM is not that
    public SigningKey registerKey(Environment environment, SigningKey.Kind kind, String name, String pem, Actor actor) {
        if (name.isBlank() || name.length() > 100) {
            throw new IllegalArgumentException("a key needs a name of 1 to 100 characters");
        }
        String id = TrustAnchors.id(kind, pem);
        return journal.commit(tx -> {
            SigningKey key = new SigningKey(id, kind, name, pem, tx.now(), Optional.empty());
            FirmwareStore.putKey(tx.sql(), environment, key);
            tx.record(new Entry(
                    "firmware.key-registered",
                    environment,
                    "signing-key:" + id,
                    actor,
                    "release-signing key trusted",
                    Map.of("name", name, "kind", kind.text())));
            return key;
        });
    }

    /// From now on nothing signed with it is registered; releases registered before stay.
    ///
    /// @return false when there is no such key, or it was retired already
    public boolean retireKey(Environment environment, String id, String reason, Actor actor) {
        return journal.commit(tx -> {
            if (!FirmwareStore.retireKey(tx.sql(), environment, id, tx.now())) {
                return false;
            }
            tx.record(new Entry(
                    "firmware.key-retired", environment, "signing-key:" + id, actor, reason, Map.of("id", id)));
            return true;
        });
    }

    public List<SigningKey> keys(Environment environment) {
        return database.read(sql -> FirmwareStore.keys(sql, environment));
    }

    List<SigningKey> trusted(Environment environment, SigningKey.Kind kind) {
        return keys(environment).stream()
                .filter(k -> k.kind() == kind && k.retiredAt().isEmpty())
                .toList();
    }

    /// Registers a release for our agent: the image must have been uploaded; the envelope becomes an artifact.
    public Registered registerManifest(Declaration declaration, byte[] envelope, Actor actor) {
        return registration.ofManifest(declaration, envelope, actor);
    }

    /// Registers an uploaded `.swu` after verifying the CMS signature of its `sw-description` and the digests of
    /// all its images.
    ///
    /// @param securityCounter SWUpdate has none of its own, so the operator states it
    public Registered registerSwu(
            Declaration declaration, ModelId model, Digest artifact, long securityCounter, Actor actor) {
        return registration.ofSwu(declaration, model, artifact, securityCounter, actor);
    }

    public Optional<Release> release(long id) {
        return database.read(sql -> FirmwareStore.find(sql, id));
    }

    public Optional<Release> release(Environment environment, ModelId model, FirmwareVersion version) {
        return database.read(sql -> FirmwareStore.find(sql, environment, model, version));
    }

    /// Newest first.
    ///
    /// @param before an id, [Long#MAX_VALUE] for the first page
    public List<Release> releases(Environment environment, long before, int limit) {
        return database.read(sql -> FirmwareStore.list(sql, environment, before, limit));
    }

    /// A release inside another room's change, locked until it commits.
    public Optional<Release> lock(Transaction tx, long id) {
        return FirmwareStore.lock(tx.sql(), id);
    }

    /// Moves a release to another state, when its present one allows that.
    ///
    /// @return whether it was moved
    public boolean setState(Transaction tx, long id, Release.State to, String reason, Actor actor) {
        Optional<Release> release = FirmwareStore.lock(tx.sql(), id);
        if (release.isEmpty() || !release.get().state().mayBecome(to)) {
            return false;
        }
        FirmwareStore.setState(tx.sql(), id, to, reason);
        tx.record(new Entry(
                "firmware.release-" + to.text(),
                release.get().environment(),
                "release:" + id,
                actor,
                reason,
                Map.of(
                        "from",
                        release.get().state().text(),
                        "version",
                        release.get().version().value())));
        return true;
    }

    /// Reinstates a halted release.
    public boolean setState(long id, Release.State to, String reason, Actor actor) {
        return journal.commit(tx -> setState(tx, id, to, reason, actor));
    }

    /// What became of the wish to approve.
    public enum Approval {
        APPROVED,
        /// Only an irreversible release that nobody has approved yet waits for it.
        NOT_WAITING,
        /// Whoever registered it may not approve it too.
        OWN_RELEASE
    }

    /// A second person agrees that devices won't be able to go back behind this release.
    ///
    /// @param approver the person behind the actor
    public Approval approve(long id, String approver, String reason, Actor actor) {
        return journal.commit(tx -> {
            Optional<Release> release = FirmwareStore.lock(tx.sql(), id);
            if (release.isEmpty()
                    || !release.get().irreversible()
                    || release.get().state() != Release.State.REGISTERED) {
                return Approval.NOT_WAITING;
            }
            if (approver.equals(release.get().registrar())) {
                return Approval.OWN_RELEASE;
            }
            setState(tx, id, Release.State.APPROVED, reason, actor);
            return Approval.APPROVED;
        });
    }

    public Optional<Long> floor(Transaction tx, Release release) {
        return FirmwareStore.floor(tx.sql(), release.environment(), release.model());
    }

    /// After a finished rollout: nothing with a lower counter is registered any more.
    public void raiseFloor(Transaction tx, Release release, Actor actor) {
        Optional<Long> before = FirmwareStore.floor(tx.sql(), release.environment(), release.model());
        if (before.isEmpty() || before.get() < release.securityCounter()) {
            FirmwareStore.raiseFloor(tx.sql(), release.environment(), release.model(), release.securityCounter());
            tx.record(new Entry(
                    "firmware.counter-floor-raised",
                    release.environment(),
                    "model:" + release.model(),
                    actor,
                    "the rollout of " + release.version() + " has finished",
                    Map.of("floor", release.securityCounter())));
        }
    }
}
