package dev.holdfast.firmware;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.ModelId;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Model;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.manifest.ManifestException;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.ArrayList;
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
    private final Inventory inventory;
    private final ArtifactStore files;

    /// @param folder where artifacts are kept; nodes that share a database share it too
    /// @param mostOctets the size of the largest artifact
    public Firmware(Database database, Journal journal, Inventory inventory, Path folder, long mostOctets) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        this.files = new ArtifactStore(folder, mostOctets);
    }

    /// What an operator adds to the signed description of a release.
    ///
    /// @param irreversible devices won't be able to go back: allows the counter to rise, and asks for an
    /// approval
    public record Declaration(Environment environment, boolean irreversible) {}

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

    private List<SigningKey> trusted(Environment environment, SigningKey.Kind kind) {
        return keys(environment).stream()
                .filter(k -> k.kind() == kind && k.retiredAt().isEmpty())
                .toList();
    }

    /// Registers a release for our agent: the image must have been uploaded; the envelope becomes an artifact.
    public Registered registerManifest(Declaration declaration, byte[] envelope, Actor actor) {
        SignedManifest signed;
        try {
            List<PublicKey> keys = new ArrayList<>();
            for (SigningKey key : trusted(declaration.environment(), SigningKey.Kind.MANIFEST)) {
                keys.add(TrustAnchors.publicKey(key.pem()));
            }
            signed = SignedManifest.verify(envelope, keys);
        } catch (ManifestException e) {
            return new Registered.Refused(
                    e.reason() == ManifestException.Reason.NO_SIGNATURE_BY_A_TRUSTED_KEY
                            ? Registered.Reason.SIGNATURE_NOT_VALID
                            : Registered.Reason.NOT_A_MANIFEST,
                    String.valueOf(e.getMessage()));
        }
        var manifest = signed.manifest();
        Optional<Artifact> image =
                artifact(declaration.environment(), new Digest(manifest.image().sha256()));
        if (image.isEmpty() || file(image.get()).isEmpty()) {
            return new Registered.Refused(
                    Registered.Reason.ARTIFACT_MISSING,
                    "upload the image with SHA-256 " + manifest.image().sha256() + " first");
        }
        if (image.get().size() != manifest.image().size()) {
            return new Registered.Refused(
                    Registered.Reason.ARTIFACT_DIFFERS,
                    "the image has " + image.get().size() + " octets, the manifest says "
                            + manifest.image().size());
        }
        Stored kept = upload(
                declaration.environment(),
                manifest.version() + ".manifest.json",
                new ByteArrayInputStream(envelope),
                Optional.empty(),
                actor);
        if (!(kept instanceof Stored.Done done)) {
            return new Registered.Refused(Registered.Reason.ARTIFACT_MISSING, "the manifest can't be kept: " + kept);
        }
        Artifact named = new Artifact(
                image.get().sha256(),
                manifest.image().name(),
                image.get().size(),
                image.get().sha1(),
                image.get().md5());
        return register(
                declaration,
                new ModelId(manifest.model()),
                manifest.hardware(),
                new FirmwareVersion(manifest.version()),
                manifest.securityCounter(),
                Release.Format.MANIFEST,
                signed.keyId(),
                List.of(done.artifact(), named),
                actor);
    }

    /// Registers an uploaded `.swu` after verifying the CMS signature of its `sw-description` and the digests
    /// of all
    /// its images.
    ///
    /// @param securityCounter SWUpdate has none of its own, so the operator states it
    public Registered registerSwu(
            Declaration declaration, ModelId model, Digest artifact, long securityCounter, Actor actor) {
        Optional<Artifact> uploaded = artifact(declaration.environment(), artifact);
        Optional<Path> file = uploaded.flatMap(this::file);
        if (file.isEmpty()) {
            return new Registered.Refused(
                    Registered.Reason.ARTIFACT_MISSING, "upload the .swu with SHA-256 " + artifact + " first");
        }
        SwuInspection inspection;
        try (InputStream content = files.open(artifact)) {
            inspection = SwuInspection.of(content, trusted(declaration.environment(), SigningKey.Kind.SWU));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return switch (inspection) {
            case SwuInspection.Bad bad -> new Registered.Refused(bad.reason(), bad.detail());
            case SwuInspection.Good good ->
                register(
                        declaration,
                        model,
                        good.hardware(),
                        good.version(),
                        securityCounter,
                        Release.Format.SWU,
                        good.signedBy(),
                        List.of(uploaded.orElseThrow()),
                        actor);
        };
    }

    private Registered register(
            Declaration declaration,
            ModelId modelId,
            List<String> hardware,
            FirmwareVersion version,
            long counter,
            Release.Format format,
            String signedBy,
            List<Artifact> artifacts,
            Actor actor) {
        Optional<Model> model = inventory.model(declaration.environment(), modelId);
        if (model.isEmpty()) {
            return new Registered.Refused(
                    Registered.Reason.MODEL_UNKNOWN, "there is no model " + modelId + "; define it first");
        }
        if (!hardware.contains(model.get().hardware())) {
            return new Registered.Refused(
                    Registered.Reason.HARDWARE_DOES_NOT_FIT,
                    "it is for " + hardware + ", model " + modelId + " is "
                            + model.get().hardware());
        }
        return journal.commit(tx -> {
            FirmwareStore.lockModel(tx.sql(), declaration.environment(), modelId);
            Optional<Release> same = FirmwareStore.find(tx.sql(), declaration.environment(), modelId, version);
            if (same.isPresent()) {
                return same.get().artifacts().equals(artifacts)
                        ? new Registered.Exists(same.get())
                        : new Registered.Refused(
                                Registered.Reason.VERSION_ALREADY_REGISTERED,
                                "version " + version + " exists with other content: a version never changes");
            }
            Optional<Long> floor = FirmwareStore.floor(tx.sql(), declaration.environment(), modelId);
            Optional<Registered.Refused> refused = CounterRule.check(counter, declaration.irreversible(), floor);
            if (refused.isPresent()) {
                return refused.get();
            }
            if (floor.isEmpty()) {
                FirmwareStore.raiseFloor(tx.sql(), declaration.environment(), modelId, counter);
            }
            Release release = new Release(
                    0,
                    declaration.environment(),
                    modelId,
                    version,
                    hardware,
                    counter,
                    declaration.irreversible(),
                    format,
                    signedBy,
                    artifacts,
                    Release.State.REGISTERED,
                    "signature verified",
                    tx.now());
            long id = FirmwareStore.insert(tx.sql(), release);
            tx.record(new Entry(
                    "firmware.release-registered",
                    declaration.environment(),
                    "release:" + id,
                    actor,
                    "signature verified against a registered key",
                    Map.of(
                            "model", modelId.value(),
                            "version", version.value(),
                            "securityCounter", counter,
                            "irreversible", declaration.irreversible(),
                            "signedBy", signedBy,
                            "artifacts",
                                    artifacts.stream()
                                            .map(a -> a.sha256().hex())
                                            .toList())));
            return new Registered.Accepted(FirmwareStore.find(tx.sql(), id).orElseThrow());
        });
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

    /// Approves an irreversible release, reinstates a halted one, or withdraws one.
    public boolean setState(long id, Release.State to, String reason, Actor actor) {
        return journal.commit(tx -> setState(tx, id, to, reason, actor));
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
