package dev.holdfast.rollover;

import static dev.holdfast.rollover.EnrolledFleet.PER_HOUR;
import static dev.holdfast.rollover.EnrolledFleet.done;
import static dev.holdfast.rollover.EnrolledFleet.missing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.Authority;
import dev.holdfast.ca.OwnRoot;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.NameLimits;
import dev.holdfast.protocol.x509.RootKeyUpdate;
import dev.holdfast.protocol.x509.RootSuccession;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An operator's root gives way to the next: what must have been signed, in which order things count, and what is
/// refused, by whom nobody is locked out.
class OperatorRootRolloverTest {
    private static final Map<String, String> SETTINGS = Map.of("HOLDFAST_PUBLIC_HOST_NAME", "localhost");

    private TestServer server;
    private EnrolledFleet fleet;
    private OperatorRoot old;
    private OperatorRoot next;

    @BeforeEach
    void start() throws Exception {
        server = TestServer.start(SETTINGS);
        fleet = new EnrolledFleet(server);
        old = OperatorRoot.of("CN=City root,O=City", 9);
        next = OperatorRoot.of("CN=City root 2,O=City", 1);
        assertThat(install(servers(), old)).isEqualTo(OwnRoot.Installed.INSTALLED);
        assertThat(install(devices(), old)).isEqualTo(OwnRoot.Installed.INSTALLED);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private OwnRoot ownRoot() {
        return server.server().ca().ownRoot();
    }

    private OwnRoot.Request servers() {
        return ownRoot().requestServers(TestServer.TESTER);
    }

    private OwnRoot.Request devices() {
        return ownRoot().requestDevices(TestServer.ENVIRONMENT, TestServer.TESTER);
    }

    private OwnRoot.Installed install(OwnRoot.Request request, OperatorRoot by) throws Exception {
        return ownRoot().install(request.id(), by.certify(request), TestServer.TESTER);
    }

    private Step begin(OperatorRoot root, X509Certificate... crosses) {
        return fleet.rollovers()
                .startOwnRoot(root.certificate(), List.of(crosses), PER_HOUR, "twenty years", TestServer.TESTER);
    }

    private Step begin() throws Exception {
        return begin(next, old.cross(next), next.cross(old));
    }

    private Authority authority(String id) {
        return server.server().ca().authorities().find(id).orElseThrow();
    }

    private List<X509Certificate> published() {
        return server.server().ca().authorities().published();
    }

    private static Step refused(RootKeyUpdate.Fault fault) {
        return new Step.RootRefused(new RootKeyUpdate.Refused(fault, Optional.empty()));
    }

    private static Step notBelieved(RootSuccession.Refusal why) {
        return new Step.RootRefused(new RootKeyUpdate.Refused(RootKeyUpdate.Fault.NOT_BELIEVED, Optional.of(why)));
    }

    @Test
    void eachStepCountsWhenItIsTakenAndNothingGoesWhileADeviceDependsOnIt() throws Exception {
        X509Certificate one = fleet.enrolAndConnect("one");
        OwnRoot.Request nextServers = servers();
        OwnRoot.Request nextDevices = devices();

        assertThat(install(nextServers, next))
                .as("the listeners would lock everybody out")
                .isEqualTo(OwnRoot.Installed.ROOT_NOT_INTRODUCED);
        Rollover ready = done(begin());
        assertThat(authority(ready.oldAuthority()).certificate()).isEqualTo(old.certificate());
        assertThat(published()).contains(old.certificate(), next.certificate());
        TestServer.await(
                "the device is told",
                () -> server.server()
                        .commands()
                        .desired(TestServer.device("one"))
                        .filter(d -> d.state()
                                .at("/trust/roots/0")
                                .asText()
                                .equals(Certificates.fingerprint(next.certificate())))
                        .isPresent());
        assertThat(install(devices(), old)).isEqualTo(OwnRoot.Installed.ROOT_IS_GOING);
        assertThat(begin()).isInstanceOf(Step.NotReplaceable.class);
        assertThat(fleet.rollovers().startRoot(PER_HOUR, "ours", TestServer.TESTER))
                .as("the root that was made here is not in use")
                .isInstanceOf(Step.NotReplaceable.class);

        assertThat(install(nextDevices, next)).isEqualTo(OwnRoot.Installed.INSTALLED);
        assertThat(authority(nextDevices.id()).standing()).isEqualTo(Authority.Standing.READY);
        X509Certificate two = fleet.enrolAndConnect("two");
        assertThat(fleet.issuer(two)).as("ready is not issuing").isEqualTo(fleet.issuer(one));
        assertThat(missing(fleet.rollovers().move(ready.id(), false, "too early", TestServer.TESTER)))
                .containsExactly("one", "two");
        fleet.says("one", next.certificate());
        fleet.says("two", next.certificate());
        TestServer.await(
                "the reports are heard", () -> fleet.rollovers().progress(ready).trusting() == 2);
        assertThat(fleet.rollovers().move(ready.id(), false, "without a listener's issuer", TestServer.TESTER))
                .isEqualTo(new Step.NeedsCeremony("server-2"));
        assertThat(install(nextServers, next)).isEqualTo(OwnRoot.Installed.INSTALLED);
        assertThat(server.server().ca().authorities().server().anchor()).isEqualTo(old.certificate());

        restart(); // the roots' keys are not here, and that is as it should be
        done(fleet.rollovers().move(ready.id(), false, "all trust it", TestServer.TESTER));
        assertThat(server.server().ca().authorities().server().id()).isEqualTo(nextServers.id());
        X509Certificate three = fleet.enrolAndConnect("three");
        assertThat(fleet.issuer(three)).isEqualTo(nextDevices.id());
        fleet.says("three", next.certificate());
        assertThat(fleet.issuer(fleet.renewAndConnect("one", one))).isEqualTo(nextDevices.id());
        assertThat(missing(fleet.rollovers().finish(ready.id(), "too early", TestServer.TESTER)))
                .contains("two");

        fleet.renewAndConnect("two", two);
        TestServer.await("all trust it", () -> fleet.rollovers().progress(ready).trusting() == 3);
        Rollover ended = done(fleet.rollovers().finish(ready.id(), "all have moved", TestServer.TESTER));
        assertThat(published()).contains(next.certificate()).doesNotContain(old.certificate());
        assertThat(authority("server-2").standing()).isEqualTo(Authority.Standing.RETIRED);
        assertThat(fleet.rollovers().toTakeBack(ended))
                .get()
                .satisfies(cross -> assertThat(cross.getPublicKey())
                        .isEqualTo(old.certificate().getPublicKey()));
        // An issuer under the root in use is certified and replaced as before.
        OwnRoot.Request later = devices();
        assertThat(install(later, next)).isEqualTo(OwnRoot.Installed.INSTALLED);
        Rollover issuers =
                done(fleet.rollovers().startIssuer(TestServer.ENVIRONMENT, PER_HOUR, "five years", TestServer.TESTER));
        assertThat(issuers.oldAuthority()).isEqualTo(nextDevices.id());
    }

    private void restart() {
        server.server().close();
        server = TestServer.start(server.folder(), server.database(), SETTINGS, InstantSource.system());
        fleet = new EnrolledFleet(server);
    }

    @Test
    void whatTheRootInUseDidNotSignIsRefusedAndNothingHasHappened() throws Exception {
        List<X509Certificate> before = published();
        OperatorRoot stranger = OperatorRoot.of("CN=City root,O=City", 9);
        OperatorRoot older = OperatorRoot.of("CN=City root 2,O=City", 20);
        assertThat(begin(next)).isEqualTo(notBelieved(RootSuccession.Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT));
        assertThat(begin(next, next.cross(old)))
                .isEqualTo(notBelieved(RootSuccession.Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT));
        assertThat(begin(next, stranger.cross(next), next.cross(old)))
                .as("a root of the same name, and another key")
                .isEqualTo(notBelieved(RootSuccession.Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT));
        assertThat(begin(next, old.cross(stranger), next.cross(old)))
                .isEqualTo(refused(RootKeyUpdate.Fault.NOT_OF_THIS_UPDATE));
        assertThat(begin(next, old.cross(next))).isEqualTo(refused(RootKeyUpdate.Fault.OLD_WITH_NEW_MISSING));
        assertThat(begin(older, old.cross(older), older.cross(old)))
                .isEqualTo(notBelieved(RootSuccession.Refusal.NOT_NEWER));
        assertThat(begin(old, old.cross(old))).isEqualTo(refused(RootKeyUpdate.Fault.SAME_ROOT));
        assertThat(published()).isEqualTo(before);
        assertThat(fleet.rollovers().list(TestServer.ENVIRONMENT)).isEmpty();
        assertThat(server.server().ca().authorities().all()).noneMatch(Authority::isOperatorsRoot);
    }

    @Test
    void aChainThatTheOldRootsPathLengthsDoNotAllowIsRefused() throws Exception {
        done(begin());
        OwnRoot.Request request = servers();
        assertThat(install(request, next.between("CN=City servers,O=City")))
                .isEqualTo(OwnRoot.Installed.NO_WAY_FROM_OLD_ROOT);
        assertThat(install(request, OperatorRoot.of("CN=Another,O=City", 1)))
                .isEqualTo(OwnRoot.Installed.ROOT_NOT_INTRODUCED);
        OwnRoot.Request after = servers();
        assertThat(install(request, next)).isEqualTo(OwnRoot.Installed.INSTALLED);
        assertThat(install(after, next)).isEqualTo(OwnRoot.Installed.INSTALLED);
    }

    @Test
    void anIssuerThatCouldNotIssueIsRefused() throws Exception {
        OwnRoot.Request early = servers();
        OwnRoot.Request request = servers();
        for (NameLimits limits : List.of(
                new NameLimits(List.of(), List.of()),
                new NameLimits(List.of("city.example.org"), List.of("127.0.0.1")),
                new NameLimits(List.of("localhost"), List.of()))) {
            assertThat(ownRoot()
                            .install(
                                    request.id(),
                                    old.certify(request, "SHA256withECDSA", Optional.of(limits)),
                                    TestServer.TESTER))
                    .isEqualTo(OwnRoot.Installed.LISTENERS_NOT_PERMITTED);
        }
        assertThat(ownRoot()
                        .install(
                                request.id(),
                                old.certify(request, "SHA1withECDSA", Optional.empty()),
                                TestServer.TESTER))
                .isEqualTo(OwnRoot.Installed.CHAIN_BROKEN);
        NameLimits enough = new NameLimits(List.of("localhost"), List.of("127.0.0.1"));
        assertThat(ownRoot()
                        .install(
                                request.id(),
                                old.certify(request, "SHA256withECDSA", Optional.of(enough)),
                                TestServer.TESTER))
                .isEqualTo(OwnRoot.Installed.INSTALLED);
        assertThat(install(early, old))
                .as("one that was asked for later is in use")
                .isEqualTo(OwnRoot.Installed.OVERTAKEN);
    }

    @Test
    void whatWasAbandonedIsWithdrawnWithItsIssuersAndMayBeBroughtAgain() throws Exception {
        Rollover first = done(begin());
        OwnRoot.Request request = devices();
        assertThat(install(request, next)).isEqualTo(OwnRoot.Installed.INSTALLED);
        done(fleet.rollovers().abandon(first.id(), "the name is wrong", TestServer.TESTER));
        assertThat(authority(request.id()).standing()).isEqualTo(Authority.Standing.RETIRED);
        assertThat(published()).contains(old.certificate()).doesNotContain(next.certificate());
        assertThat(install(devices(), old)).isEqualTo(OwnRoot.Installed.INSTALLED);

        Rollover second = done(begin());
        assertThat(second.oldAuthority()).isEqualTo(first.oldAuthority());
        assertThat(published()).contains(next.certificate());
    }

    @Test
    void theListenersOfAnotherNodeChangeWhenItHearsOfIt(@TempDir Path folder) throws Exception {
        Rollover ready = done(begin());
        assertThat(install(servers(), next)).isEqualTo(OwnRoot.Installed.INSTALLED);
        assertThat(install(devices(), next)).isEqualTo(OwnRoot.Installed.INSTALLED);
        Path oldRoot = Files.writeString(folder.resolve("old.pem"), Certificates.pem(old.certificate()));
        Path newRoot = Files.writeString(folder.resolve("new.pem"), Certificates.pem(next.certificate()));
        try (TestServer second = server.secondNode(SETTINGS)) {
            assertThat(second.connectsTrusting(oldRoot))
                    .as("openssl compares key identifiers: the operator's program has its own way to make them")
                    .isTrue();
            assertThat(second.connectsTrusting(newRoot)).isFalse();
            done(fleet.rollovers().move(ready.id(), false, "nobody is there", TestServer.TESTER));
            TestServer.await("it has changed", () -> second.connectsTrusting(newRoot));
            assertThat(second.connectsTrusting(oldRoot)).as("by NewWithOld").isTrue();
        }
    }

    @Test
    void twoPeopleLeaveADeviceBehind() throws Exception {
        List<String> journal = new CopyOnWriteArrayList<>();
        server.server().journal().subscribe(entry -> journal.add(entry.content()));
        fleet.enrolAndConnect("one");
        Rollover ready = done(begin());
        assertThat(install(servers(), next)).isEqualTo(OwnRoot.Installed.INSTALLED);
        assertThat(install(devices(), next)).isEqualTo(OwnRoot.Installed.INSTALLED);
        done(fleet.rollovers().move(ready.id(), true, "it is in a cellar", TestServer.TESTER));
        for (int i = 0; i < 2; i++) { // one person twice is one person
            assertThat(fleet.rollovers()
                            .finishLeavingBehind(ready.id(), "operator:ada", "it was stolen", TestServer.TESTER))
                    .isInstanceOf(Step.NeedsAnother.class);
        }
        assertThat(published()).contains(old.certificate());
        done(fleet.rollovers().finishLeavingBehind(ready.id(), "operator:ben", "I saw the report", TestServer.TESTER));
        assertThat(published()).doesNotContain(old.certificate());
        TestServer.await(
                "the journal names both",
                () -> journal.stream()
                        .anyMatch(entry -> entry.contains("\"kind\":\"rollover.ended\"")
                                && entry.contains("operator:ada")
                                && entry.contains("operator:ben")));
    }
}
