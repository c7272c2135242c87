package dev.holdfast.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Campaigns over more certificates than are planned at once: piece by piece, holding nobody up, missing none.
class CampaignPlanningTest {
    private static TestServer server;
    private static Database database;

    @BeforeAll
    static void start() {
        server = TestServer.start(Map.of("HOLDFAST_CERTIFICATES_RENEWALS_PER_HOUR", "3600000"));
        database = Database.open(server.database(), 4);
    }

    @AfterAll
    static void stop() {
        database.close();
        server.close();
    }

    /// So that the devices of one test are not told in the time of another.
    @AfterEach
    void forget() {
        database.run(sql -> sql.execute("update certificate set state = 'superseded' where name like 'p-%'"));
    }

    private static Renewals renewals() {
        return server.server().renewals();
    }

    /// Rows of certificates, as issuing leaves them; no server is asked to sign so many.
    private static void fill(String environment, int count) {
        database.run(sql -> sql.execute(
                "insert into certificate(serial, authority, profile, usages, environment, device, name,"
                        + " alternative_names, public_key, key_fingerprint, state, not_before, not_after, intended_at,"
                        + " granted_by, renew_at) select '2' || substr(md5(? || i), 2),"
                        + " (select (array_agg(id order by id))[1 + i % 2] from authority), 'device',"
                        + " 'tls-client', ?, 'p-' || i, 'p-' || i, 'URI:x', ''::bytea, md5(? || 'k' || i), 'current',"
                        + " now() - interval '1 day', now() + interval '80 days', now() - interval '1 day', 'token',"
                        + " now() + interval '40 days' from generate_series(1, ?) as i",
                environment, environment, environment, count));
    }

    private static String authority(int place) {
        return database.<String>read(
                sql -> sql.fetchSingle("select (array_agg(id order by id))[?] from authority", place)
                        .get(0, String.class));
    }

    private static long count(String condition, Object... values) {
        return database.<Long>read(sql -> sql.fetchSingle("select count(*) from certificate where " + condition, values)
                .get(0, Long.class));
    }

    private static Campaign planned(Campaign campaign) {
        TestServer.await("planned", () -> {
            renewals().workDue();
            return renewals()
                    .campaign(campaign.environment(), campaign.id())
                    .orElseThrow()
                    .plannedAt()
                    .isPresent();
        });
        return renewals().campaign(campaign.environment(), campaign.id()).orElseThrow();
    }

    @Test
    void everyChosenCertificateGetsATimeOfItsOwnAtTheRate() {
        Environment environment = new Environment("even");
        fill("even", 25_500);
        Campaign started = renewals()
                .start(environment, new Chosen.OfAuthority(authority(2)), 36_000, "a drill", TestServer.TESTER);
        Campaign campaign = planned(started);
        assertThat(campaign.total()).isEqualTo(12_750);
        assertThat(count("environment = 'even' and renewal_campaign = ?", campaign.id()))
                .isEqualTo(12_750);
        assertThat(count("environment = 'even' and authority = ? and renewal_campaign is not null", authority(1)))
                .isZero();
        long different = database.<Long>read(sql -> sql.fetchSingle(
                        "select count(distinct renew_at) from certificate where renewal_campaign = ?", campaign.id())
                .get(0, Long.class));
        assertThat(different).as("ten a second, each at its own time").isEqualTo(12_750);
        Instant last = database.<Instant>read(sql -> sql.fetchSingle(
                        "select max(renew_at) from certificate where renewal_campaign = ?", campaign.id())
                .get(0, java.time.OffsetDateTime.class)
                .toInstant());
        assertThat(Duration.between(campaign.startedAt(), last))
                .isBetween(Duration.ofSeconds(1_274), Duration.ofSeconds(1_276));
        assertThat(server.server().journal().about("campaign:" + campaign.id(), Long.MAX_VALUE, 10))
                .extracting(entry -> entry.json().path("kind").asText())
                .containsExactly("renewal.campaign-planned", "renewal.campaign-started");
    }

    @Test
    void certificatesThatSomebodyElseHoldsAreFoundByTheNextPassAndNobodyWaits() throws SQLException {
        Environment environment = new Environment("held");
        fill("held", 3_000);
        String id;
        try (Connection other = database.connection()) {
            other.setAutoCommit(false);
            other.createStatement()
                    .executeQuery("select 1 from certificate where environment = 'held' and device in ('p-1', 'p-2')"
                            + " for update")
                    .close();
            Campaign started = renewals().start(environment, new Chosen.All(), 3_600_000, "a drill", TestServer.TESTER);
            TestServer.await("all but those held", () -> {
                renewals().workDue();
                return renewals()
                                .campaign(environment, started.id())
                                .orElseThrow()
                                .total()
                        == 2_998;
            });
            assertThat(renewals()
                            .campaign(environment, started.id())
                            .orElseThrow()
                            .plannedAt())
                    .isEmpty();
            id = started.id();
            other.rollback();
        }
        Campaign campaign = renewals().campaign(environment, id).orElseThrow();
        assertThat(planned(campaign).total()).isEqualTo(3_000);
    }

    @Test
    void devicesGivenByNameArePlannedInPartsAndAStopGivesBackWhatWasNotTold() {
        Environment environment = new Environment("named");
        fill("named", 4_000);
        List<DeviceRef> devices = IntStream.rangeClosed(1, 3_500)
                .mapToObj(i -> DeviceRef.of("named", "p-" + i))
                .toList();
        Campaign campaign =
                planned(renewals().start(environment, new Chosen.OfDevices(devices), 3_600, "x", TestServer.TESTER));
        assertThat(campaign.total()).isEqualTo(3_500);
        assertThat(count("environment = 'named' and renewal_campaign is null")).isEqualTo(500);
        assertThat(renewals().stop(environment, campaign.id(), "enough", TestServer.TESTER))
                .isTrue();
        TestServer.await("given back", () -> {
            renewals().workDue();
            return count("environment = 'named' and renew_at > now() + interval '20 days'") >= 3_900;
        });
    }

    @Test
    void whatABusyServerCanTellIsTheRateThatWasSet() {
        Environment environment = new Environment("told");
        fill("told", 400);
        planned(renewals().start(environment, new Chosen.All(), 3_600_000, "x", TestServer.TESTER));
        // A thousand a second: all are told in a moment, in more than one turn.
        TestServer.await("all are told", () -> {
            renewals().workDue();
            return count("environment = 'told' and told_at is null") == 0;
        });
    }
}
