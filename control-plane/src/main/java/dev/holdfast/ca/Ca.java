package dev.holdfast.ca;

import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.config.DataFolderStore;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Journal;
import dev.holdfast.keys.KeyPassphrase;
import dev.holdfast.keys.KeyRing;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.Profiles;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/// The certification authorities of this installation, as one room: who issues, what was issued, what still
/// counts.
public final class Ca {
    /// Standings of certificates that ended longer ago than this are not kept in memory: they are refused as
    /// unknown.
    private static final Duration REMEMBERED = Duration.ofDays(90);

    private final Authorities authorities;
    private final Issuance issuance;
    private final ServerCertificateStore serverCertificates;
    private final CertificateStandings standings = new CertificateStandings();
    private final IssuedFingerprints fingerprints;
    private final OwnRoot ownRoot;
    private final CertificateLifecycle lifecycle;
    private final ServiceCertificates serviceCertificates;
    private final Succession succession;
    private final Profiles profiles;

    private Ca(
            Database database,
            Journal journal,
            Path folder,
            KeyRing keys,
            Authorities authorities,
            SecureRandom random,
            InstantSource clock,
            Configuration configuration) {
        this.authorities = authorities;
        this.succession = new Succession(authorities);
        List<String> listeners = new ArrayList<>(ServerCertificateStore.names(configuration));
        listeners.add(ServerCertificateStore.MESSAGE_SIGNER_NAME);
        this.ownRoot = new OwnRoot(journal, authorities, configuration.publicHostName() != null, listeners);
        Configuration.Certificates settings = configuration.certificates();
        this.profiles = new Profiles(
                database,
                journal,
                CertificateProfile.forDevices(
                        Profiles.DEVICE, settings.deviceLifetime(), settings.renewableAfterExpiry()));
        this.issuance = new Issuance(database, authorities, random);
        this.lifecycle = new CertificateLifecycle(profiles);
        this.serviceCertificates =
                new ServiceCertificates(journal, issuance, random, new Environment(configuration.environment()));
        this.serverCertificates = new ServerCertificateStore(
                folder,
                keys.files(),
                journal,
                issuance,
                authorities,
                CertificateProfile.of(
                        "server", CertificateProfile.Usage.TLS_SERVER, settings.serverLifetime(), Duration.ZERO),
                new Environment(configuration.environment()));
        this.fingerprints = new IssuedFingerprints(random);
        journal.obey(standings::follow);
        journal.obey(fingerprints::follow);
        database.run(sql -> CertificateStore.fingerprints(sql, clock.instant().minus(REMEMBERED), fingerprints::add));
        database.run(sql -> CertificateStore.standings(sql, clock.instant().minus(REMEMBERED), standings::load));
    }

    /// Opens the room and makes the authorities that are missing. Called before the journal's tail starts.
    ///
    /// @param passphrase what the keys in the folder `ca` lie under
    /// @param urls the base of the URLs in certificates, under which `/ocsp`, `/crl` and `/ca` answer
    /// @throws ConfigurationException when the database's authorities are not those whose keys are here, or the
    ///     keys
    ///     can't be opened
    public static Ca open(
            Database database,
            Journal journal,
            DataFolderStore data,
            Configuration configuration,
            KeyPassphrase passphrase,
            String urls,
            SecureRandom random,
            InstantSource clock)
            throws ConfigurationException, IOException {
        Path folder = data.privateFolder("ca");
        KeyRing keys = KeyRing.open(folder, configuration.keys(), passphrase, random);
        Authorities authorities = new Authorities(
                database,
                journal,
                keys.authorities(),
                keys.kind(),
                random,
                clock,
                urls,
                new Environment(configuration.environment()));
        return new Ca(database, journal, folder, keys, authorities, random, clock, configuration);
    }

    public Authorities authorities() {
        return authorities;
    }

    /// Whether it is a very certificate of ours, and not another one under a serial of ours.
    public boolean hasIssued(X509Certificate certificate) {
        return fingerprints.contains(certificate);
    }

    public Issuance issuance() {
        return issuance;
    }

    /// What becomes of certificates once they are issued.
    public CertificateLifecycle lifecycle() {
        return lifecycle;
    }

    public ServerCertificateStore serverCertificates() {
        return serverCertificates;
    }

    public ServiceCertificates serviceCertificates() {
        return serviceCertificates;
    }

    public CertificateStandings standings() {
        return standings;
    }

    /// The next generation of an authority.
    public Succession succession() {
        return succession;
    }

    /// Issuers under the operator's own root.
    public OwnRoot ownRoot() {
        return ownRoot;
    }

    /// What certificates of each kind are like.
    public Profiles profiles() {
        return profiles;
    }
}
