package dev.holdfast.detection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Serial;
import dev.holdfast.detection.Finding.Cause;
import dev.holdfast.detection.Finding.Severity;
import dev.holdfast.inventory.Model;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Observation.SessionActivity.Kind;
import dev.holdfast.telemetry.Observation.Violation.Rule;
import dev.holdfast.telemetry.Provenance;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DetectorTest {
    private static final DeviceRef DEVICE = DeviceRef.of("development", "m-1");
    private static final DeviceRef GATEWAY = DeviceRef.of("development", "gw-1");
    private static final Instant START = Instant.parse("2026-03-02T00:00:00Z");
    private static final Expectation EXPECTED = Expectation.of(new Model(
            new Environment("development"),
            new ModelId("meter"),
            "Acme",
            "hw-1",
            Duration.ofMinutes(15),
            Map.of("kwh", new Model.Band(0, 50, "kWh")),
            List.of(
                    new Model.AllowedFlow("10.0.0.0/24", "tcp", 8883),
                    new Model.AllowedFlow("2001:db8::/32", "udp", 0)),
            Map.of("logLevel", "info", "interval", "900")));

    private Baseline baseline = Baseline.NEW;
    private Instant now = START;

    private List<Finding> see(Observation observation) {
        Assessment assessment = Detector.assess(EXPECTED, baseline, observation);
        baseline = assessment.next();
        return assessment.findings();
    }

    private List<Finding> used(long session, String from, String protocol) {
        now = now.plusSeconds(5);
        return see(new Observation.SessionActivity(DEVICE, now, session, new Serial("7"), protocol, from, Kind.USED));
    }

    private List<Finding> measured(double kwh) {
        return see(new Observation.Measurement(DEVICE, now, now, Map.of("kwh", kwh), false));
    }

    private List<Finding> flow(String destination, int port, String protocol, Provenance provenance) {
        now = now.plusSeconds(1);
        return see(
                new Observation.Flow(DEVICE, now, provenance, GATEWAY, now, now, destination, port, protocol, 100, 2));
    }

    private static double usual(Instant at, Random random) {
        int hour = (int) (at.getEpochSecond() / 3600 % 24);
        return 1 + (hour > 16 && hour < 22 ? 2 : 0) + 0.1 * random.nextGaussian();
    }

    private void learnAWeek(Random random) {
        Instant end = now;
        for (Instant at = end.minus(Duration.ofDays(7)); at.isBefore(end); at = at.plus(Duration.ofMinutes(15))) {
            assertThat(see(new Observation.Measurement(DEVICE, end, at, Map.of("kwh", usual(at, random)), true)))
                    .isEmpty();
        }
    }

    // ------------------------------------------------------------------ identity

    @Test
    void twoSessionsThatTakeTurnsAreACloneEvenFromOneAddress() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            found.addAll(used(1, "198.51.100.4:1000", "mqtt"));
            found.addAll(used(2, "198.51.100.4:1001", "mqtt"));
        }
        assertThat(found).isNotEmpty();
        assertThat(found.getFirst().cause()).isEqualTo(Cause.IDENTITY_USED_IN_TWO_PLACES);
        assertThat(found.getFirst().provenance()).isEqualTo(Provenance.PROVEN);
        assertThat(found.getFirst().severity()).isEqualTo(Severity.CRITICAL);
    }

    @Test
    void aLingeringOldSessionIsNoClone() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            found.addAll(used(1, "198.51.100.4:1000", "mqtt"));
        }
        for (int i = 0; i < 5; i++) {
            found.addAll(used(2, "203.0.113.9:7", "mqtt")); // rebound: the old session is open and silent
        }
        found.addAll(used(1, "198.51.100.4:1000", "mqtt")); // a packet that was under way
        for (int i = 0; i < 20; i++) {
            found.addAll(used(2, "203.0.113.9:7", "mqtt"));
        }
        assertThat(found).isEmpty();
    }

    @Test
    void aDeviceThatReconnectsAndPollsOverManyConnectionsIsNoClone() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            found.addAll(used(100 + i, "198.51.100.4:" + (1000 + i), "https"));
            found.addAll(used(3 + i / 10 * 100, "198.51.100.4:900", "mqtt"));
        }
        assertThat(found).isEmpty();
    }

    private List<Finding> closed(long session, String from, String protocol) {
        return see(new Observation.SessionActivity(DEVICE, now, session, new Serial("7"), protocol, from, Kind.CLOSED));
    }

    @Test
    void aDeviceThatListensOnOneSessionAndSpeaksOnShortOnesIsNoClone() {
        List<Finding> found = new ArrayList<>();
        found.addAll(used(1, "198.51.100.4:1000", "mqtt"));
        for (int i = 2; i < 40; i++) {
            found.addAll(used(i, "198.51.100.4:" + (1000 + i), "mqtt"));
            found.addAll(closed(i, "198.51.100.4:" + (1000 + i), "mqtt"));
            found.addAll(used(1, "198.51.100.4:1000", "mqtt"));
        }
        assertThat(found).isEmpty();
    }

    @Test
    void aDeviceThatReconnectsAgainAndAgainIsNoCloneThoughItsLastPacketsComeLate() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            Instant opened = now.plusSeconds(5);
            long older = dev.holdfast.core.SessionOrder.next(0, opened.minusSeconds(5));
            long newer = dev.holdfast.core.SessionOrder.next(0, opened);
            found.addAll(used(newer, "198.51.100.4:" + i, "mqtt"));
            now = opened.plusMillis(300).minusSeconds(5);
            found.addAll(used(older, "198.51.100.4:" + (i - 1), "mqtt"));
            now = opened.plusMillis(2_700).minusSeconds(5);
            found.addAll(used(newer, "198.51.100.4:" + i, "mqtt"));
            now = opened;
        }
        assertThat(found).isEmpty();
    }

    @Test
    void aCarrierThatChangesTheAddressWithEachPollIsAskedAboutButNeverActedUpon() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            String from = (i % 2 == 0 ? "198.51.100.4:" : "198.51.100.5:") + i;
            found.addAll(used(100 + i, from, "https"));
            found.addAll(closed(100 + i, from, "https"));
        }
        assertThat(found).isNotEmpty();
        assertThat(found).extracting(Finding::severity).containsOnly(Severity.MEDIUM);
    }

    @Test
    void aDeviceThatPollsOverHttpsWhileItsMqttSessionIsOpenIsNoClone() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            found.addAll(used(1, "198.51.100.4:900", "mqtt"));
            found.addAll(used(2, "198.51.100.5:901", "https")); // another way out, and kept alive
        }
        assertThat(found).isEmpty();
    }

    @Test
    void twoHostsInTurnOnConnectionsThatAreOpenTogetherAreACloneOverHttpsToo() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            found.addAll(used(1, "198.51.100.4:900", "https"));
            found.addAll(used(2, "203.0.113.9:901", "https"));
        }
        assertThat(found).extracting(Finding::severity).contains(Severity.CRITICAL);
    }

    @Test
    void twoHostsThatKeepThrowingEachOtherOutAreAClone() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            found.addAll(used(10 + i, i % 2 == 0 ? "198.51.100.4:1" : "203.0.113.9:1", "mqtt"));
        }
        assertThat(found).extracting(Finding::cause).contains(Cause.IDENTITY_USED_IN_TWO_PLACES);
    }

    private List<Finding> superseded(boolean keyProven) {
        now = now.plusSeconds(5);
        return see(new Observation.RefusedCertificate(
                DEVICE, now, new Serial("6"), "CERTIFICATE_SUPERSEDED", keyProven, "203.0.113.9:1"));
    }

    @Test
    void aSupersededCertificateIsACloneOnlyWhenUsedInTurnWithTheNewOne() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            found.addAll(superseded(true)); // a device that lost its new certificate uses the old one only
        }
        assertThat(found)
                .as("told, and nobody is isolated for that")
                .hasSizeBetween(1, 2)
                .allSatisfy(f -> {
                    assertThat(f.cause()).isEqualTo(Cause.OLD_CERTIFICATE_PRESENTED);
                    assertThat(f.severity()).isEqualTo(Finding.Severity.MEDIUM);
                });
        for (int i = 0; i < 3; i++) {
            found.addAll(used(5, "198.51.100.4:1", "mqtt"));
            found.addAll(superseded(true));
        }
        assertThat(found).extracting(Finding::cause).contains(Cause.SUPERSEDED_CERTIFICATE_IN_USE);
    }

    @Test
    void whatTheServerRefusesForReasonsOfItsOwnAccusesNobody() {
        for (String reason : List.of("SERVER_CANNOT_CHECK", "ISSUER_REPLACED", "CERTIFICATE_REVOKED")) {
            List<Finding> found = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
                now = now.plusSeconds(5);
                found.addAll(see(new Observation.RefusedCertificate(
                        DEVICE, now, new Serial("7"), reason, true, "203.0.113.9:1")));
            }
            assertThat(found.isEmpty()).as(reason).isEqualTo(!reason.equals("CERTIFICATE_REVOKED"));
        }
    }

    @Test
    void aCertificateTriedWithoutItsKeyNeverAccusesTheDevice() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            found.addAll(used(5, "198.51.100.4:1", "mqtt"));
            found.addAll(superseded(false));
        }
        assertThat(found).isNotEmpty().allSatisfy(f -> {
            assertThat(f.cause()).isEqualTo(Cause.AUTHENTICATION_FAILURES_REPEATED);
            assertThat(f.provenance()).isEqualTo(Provenance.CLAIMED);
        });
    }

    // ------------------------------------------------------------------ protocol

    @Test
    void aForbiddenTopicIsAFindingFromTheThirdTimeOnAndToldEverMoreRarely() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            found.addAll(see(new Observation.Violation(DEVICE, now, Rule.FORBIDDEN_TOPIC, "d/m-2/telemetry")));
        }
        assertThat(found).isEmpty();
        for (int i = 0; i < 600; i++) {
            now = now.plusSeconds(1);
            found.addAll(
                    see(new Observation.Violation(DEVICE, now, Rule.FORBIDDEN_TOPIC, "d/m-2/telemetry\n\u001b[31m")));
        }
        assertThat(found).hasSizeBetween(2, 6);
        assertThat(found.getFirst().since()).isEqualTo(START);
        assertThat(found.getFirst().seen()).doesNotContain("\n").doesNotContain("\u001b");
        assertThat(found).extracting(Finding::provenance).containsOnly(Provenance.PROVEN);
    }

    @Test
    void aFloodIsFound() {
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            now = now.plusMillis(5);
            found.addAll(measured(1));
        }
        assertThat(found).extracting(Finding::cause).containsOnly(Cause.MESSAGE_FLOOD);
        assertThat(found.size()).isLessThan(5);
    }

    // ------------------------------------------------------------------ traffic

    @Test
    void aDestinationTheModelDoesNotAllowIsFoundWithTheProvenanceOfItsObserver() {
        assertThat(flow("10.0.0.9", 8883, "tcp", Provenance.OBSERVED)).isEmpty();
        assertThat(flow("2001:db8::7", 5, "udp", Provenance.OBSERVED)).isEmpty();
        List<Finding> first = flow("10.0.0.9", 22, "tcp", Provenance.OBSERVED);
        assertThat(first).singleElement().satisfies(f -> {
            assertThat(f.cause()).isEqualTo(Cause.DESTINATION_NOT_ALLOWED);
            assertThat(f.severity()).isEqualTo(Severity.MEDIUM);
            assertThat(f.provenance()).isEqualTo(Provenance.OBSERVED);
            assertThat(f.seen()).contains("10.0.0.9:22/tcp").contains("gw-1");
        });
        assertThat(flow("10.0.0.9", 22, "tcp", Provenance.OBSERVED))
                .singleElement()
                .satisfies(f -> assertThat(f.severity()).isEqualTo(Severity.HIGH));
        baseline = Baseline.NEW;
        assertThat(flow("nonsense\u202e", 22, "tcp", Provenance.CLAIMED))
                .singleElement()
                .satisfies(f -> assertThat(f.provenance()).isEqualTo(Provenance.CLAIMED));
    }

    @Test
    void fanOutAndPortScanAreToldApart() {
        List<Finding> fan = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            fan.addAll(flow("192.0.2." + i, 23, "tcp", Provenance.OBSERVED));
        }
        assertThat(fan)
                .extracting(Finding::cause)
                .contains(Cause.DESTINATION_FAN_OUT)
                .doesNotContain(Cause.PORT_SCAN);
        baseline = Baseline.NEW;
        List<Finding> scan = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            scan.addAll(flow("192.0.2.1", 1000 + i, "tcp", Provenance.OBSERVED));
        }
        assertThat(scan).extracting(Finding::cause).contains(Cause.PORT_SCAN).doesNotContain(Cause.DESTINATION_FAN_OUT);
    }

    // ------------------------------------------------------------------ telemetry

    @Test
    void aWeekOfImportedHistoryIsEnoughToJudgeAtOnce() {
        Random random = new Random(1);
        learnAWeek(random);
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 96 * 3; i++) {
            found.addAll(measured(usual(now, random)));
            now = now.plus(Duration.ofMinutes(15));
        }
        assertThat(found).isEmpty();
        assertThat(baseline.healthyAt).isPositive();
        found.addAll(measured(9));
        assertThat(found).as("one outlier is no finding").isEmpty();
        now = now.plus(Duration.ofMinutes(15));
        found.addAll(measured(9));
        assertThat(found).singleElement().satisfies(f -> {
            assertThat(f.cause()).isEqualTo(Cause.TELEMETRY_OUT_OF_HISTORY);
            assertThat(f.provenance()).isEqualTo(Provenance.CLAIMED);
            assertThat(f.expected()).contains("kwh between").contains("by its own history");
            assertThat(f.seen()).contains("kwh = 9.000");
        });
    }

    @Test
    void whatIsUsualInTheEveningIsNotAtNight() {
        Random random = new Random(2);
        learnAWeek(random);
        now = START.plus(Duration.ofHours(3));
        List<Finding> found = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            found.addAll(measured(3)); // the evening's level, at three in the morning
            now = now.plus(Duration.ofMinutes(15));
        }
        assertThat(found).extracting(Finding::cause).contains(Cause.TELEMETRY_OUT_OF_HISTORY);
    }

    @Test
    void anImpossibleValueIsFoundAndTeachesNothing() {
        learnAWeek(new Random(3));
        float[] before = baseline.history[0].level.clone();
        assertThat(measured(51)).extracting(Finding::cause).containsExactly(Cause.TELEMETRY_IMPOSSIBLE);
        assertThat(baseline.history[0].level).containsExactly(before);
        assertThat(baseline.unhealthyAt).isEqualTo(now.toEpochMilli());
    }

    @Test
    void aMillionMessagesAnHourTeachNoMoreThanOne() {
        learnAWeek(new Random(4));
        double before = baseline.history[0].mean(Seasonal.hour(now.getEpochSecond()));
        for (int i = 0; i < 3_600_000; i += 100) {
            see(new Observation.Measurement(DEVICE, now, now.plusMillis(i), Map.of("kwh", 1.25), false));
        }
        double moved = baseline.history[0].mean(Seasonal.hour(now.getEpochSecond())) - before;
        assertThat(moved).isLessThan(0.3 / 7);
    }

    @Test
    void aSlowLieIsFoundUnlessItIsAsSlowAsASeason() {
        Random random = new Random(5);
        learnAWeek(random);
        int days = 0;
        List<Finding> found = new ArrayList<>();
        while (found.isEmpty() && days < 95) {
            for (int i = 0; i < 24; i++) {
                found.addAll(measured(usual(now, random) * (1 - 0.01 * days)));
                now = now.plus(Duration.ofHours(1));
            }
            days++;
        }
        System.out.println("a meter that reports 1 % less each day is found after " + days + " days");
        assertThat(found).isNotEmpty();
        assertThat(days).isLessThan(90);
    }

    // ------------------------------------------------------------------ configuration, silence

    @Test
    void configurationDriftNamesWhatDiffersAndEndsWhenItIsMended() {
        Map<String, String> wrong = Map.of("logLevel", "debug\r\nx", "interval", "900");
        List<Finding> found = see(new Observation.ConfigurationReport(DEVICE, now, wrong));
        assertThat(found).singleElement().satisfies(f -> {
            assertThat(f.cause()).isEqualTo(Cause.CONFIGURATION_DRIFT);
            assertThat(f.expected()).isEqualTo("logLevel=info");
            assertThat(f.seen()).isEqualTo("logLevel=debug??x");
        });
        assertThat(see(new Observation.ConfigurationReport(
                        DEVICE, now, Map.of("logLevel", "info", "interval", "900", "more", "x"))))
                .isEmpty();
        assertThat(baseline.ongoing).isEmpty();
    }

    private static Baseline heard(Instant at) {
        return Detector.assess(EXPECTED, Baseline.NEW, new Observation.Event(DEVICE, at, "boot", Map.of()))
                .next();
    }

    @Test
    void aSilentDeviceIsFoundOnceAndADeadGatewayInsteadOfItsDevices() {
        Instant later = START.plus(Duration.ofHours(2));
        Silence alone = new Silence(later);
        alone.look(DEVICE, Optional.empty(), EXPECTED, heard(START), START);
        assertThat(alone.verdicts()).singleElement().satisfies(v -> {
            Assessment told = v.assess(heard(START), later);
            assertThat(told.findings()).extracting(Finding::cause).containsExactly(Cause.SILENCE);
            assertThat(told.findings().getFirst().since()).isEqualTo(START);
            Silence again = new Silence(later.plusSeconds(60));
            again.look(DEVICE, Optional.empty(), EXPECTED, told.next(), START);
            assertThat(again.verdicts()).isEmpty();
            assertThat(v.assess(heard(later), later).findings()).isEmpty();
        });

        Silence behind = new Silence(later);
        for (int i = 0; i < 10; i++) {
            behind.look(
                    DeviceRef.of("development", "m-" + i),
                    Optional.of(GATEWAY.id()),
                    EXPECTED,
                    heard(i < 8 ? START : later),
                    START);
        }
        List<Finding> found = behind.verdicts().stream()
                .flatMap(v ->
                        v.assess(v.device().equals(GATEWAY) ? Baseline.NEW : heard(START), later).findings().stream())
                .toList();
        assertThat(found).singleElement().satisfies(f -> {
            assertThat(f.device()).isEqualTo(GATEWAY);
            assertThat(f.cause()).isEqualTo(Cause.SILENCE_BEHIND_GATEWAY);
            assertThat(f.seen()).contains("8 of them");
        });
    }

    @Test
    void ourOwnSilenceIsNotTheDevices() {
        Instant later = START.plus(Duration.ofDays(2));
        Silence silence = new Silence(later);
        silence.look(DEVICE, Optional.empty(), EXPECTED, heard(START), later.minusSeconds(60));
        assertThat(silence.verdicts()).isEmpty();
    }

    @Test
    void aBaselineSurvivesItsCheckpointAndADamagedOneIsLearntAnew() {
        learnAWeek(new Random(6));
        flow("192.0.2.1", 99, "tcp", Provenance.OBSERVED);
        superseded(true);
        byte[] octets = BaselineCodec.encode(baseline);
        Baseline back = BaselineCodec.decode(octets);
        assertThat(BaselineCodec.encode(back)).containsExactly(octets);
        assertThat(back.ongoing).isEqualTo(baseline.ongoing);
        Random random = new Random(7);
        for (int i = 0; i < 2_000; i++) {
            byte[] damaged = java.util.Arrays.copyOf(octets, random.nextInt(octets.length));
            if (damaged.length > 0) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            BaselineCodec.decode(damaged); // never throws
        }
    }

    /// As the server before the compact form wrote it: every number and every hour in full.
    @Test
    void aCheckpointOfTheVersionBeforeIsStillRead() throws IOException {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(octets);
        out.writeByte(2);
        for (long time : new long[] {1_700_000_000_000L, 1_700_000_000_001L, 0}) {
            out.writeLong(time); // heard, healthy, unhealthy
        }
        out.writeByte(1);
        out.writeUTF("kwh");
        for (int i = 0; i < 32; i++) {
            out.writeFloat(i == 30 ? 0.5f : i == 7 ? 1.25f : 0);
        }
        for (int i = 0; i < 24; i++) {
            out.writeChar(i == 7 ? 50_400 : 0);
        }
        out.writeLong(1_700_000_000);
        out.writeLong(1_699_000_000);
        out.writeFloat(Float.NaN);
        out.writeFloat(0);
        out.writeFloat(2.5f);
        for (int number : new int[] {11, 12, -13, 14, 3}) {
            out.writeInt(number); // hosts over MQTT and HTTPS, score
        }
        out.writeLong(5);
        out.writeInt(6);
        out.writeLong(7);
        out.writeBoolean(true);
        out.writeInt(1);
        out.writeLong(9);
        out.writeLong(10); // reach
        out.writeByte(1);
        out.writeInt(-77);
        out.writeByte(0);
        out.writeInt(2);
        out.writeLong(12);
        for (int tally = 0; tally < 7; tally++) {
            out.writeLong(100 + tally);
            out.writeInt(tally);
        }
        out.writeByte(0);

        Baseline read = BaselineCodec.decode(octets.toByteArray());

        assertThat(read.heardAt).isEqualTo(1_700_000_000_000L);
        assertThat(read.healthyAt).isEqualTo(1_700_000_000_001L);
        assertThat(read.metrics).containsExactly("kwh");
        assertThat(read.history[0].level[7]).isEqualTo(1.25f);
        assertThat(read.history[0].level[30]).isEqualTo(0.5f);
        assertThat(read.history[0].weight[7]).isEqualTo((char) 50_400);
        assertThat(read.history[0].anchor).isNaN();
        assertThat(read.history[0].suspicion).isEqualTo(2.5f);
        assertThat(read.parties)
                .isEqualTo(new Parties(
                        new Parties.Track(0, 0, 11, 12), new Parties.Track(0, 0, -13, 14), 3, 5, 6, 7, true, 1, 9));
        assertThat(read.reach.hosts()).containsExactly(-77);
        assertThat(read.reach.refusedSince()).isEqualTo(12);
        assertThat(read.impossible).isEqualTo(new Tally(106, 6));
        // What it is written as now is the same, and much shorter.
        byte[] now = BaselineCodec.encode(read);
        assertThat(now).hasSizeLessThan(octets.size() / 2);
        assertThat(BaselineCodec.encode(BaselineCodec.decode(now))).containsExactly(now);
        assertThat(BaselineCodec.decode(now).parties).isEqualTo(read.parties);
    }
}
