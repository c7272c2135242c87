package dev.holdfast.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.RenewalSchedule;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.mqtt.EnrolledDevice;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// When devices renew: spread over the fleet, told in time, moved forward by campaigns.
class RenewalsTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        // Two devices a second, so that the rate can be seen.
        server = TestServer.start(Map.of("HOLDFAST_CERTIFICATES_RENEWALS_PER_HOUR", "7200"));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Renewals renewals() {
        return server.server().renewals();
    }

    private static String told(DeviceRef device) {
        return server.server()
                .commands()
                .desired(device)
                .map(d -> d.state().at("/certificate/serial").asText())
                .orElse("");
    }

    private static EnrolledDevice current(String id) {
        EnrolledDevice device = EnrolledDevice.of(server, id);
        server.server().identity().admit(device.chain().getFirst(), Instant.now());
        TestServer.await(
                "current",
                () -> server.server()
                        .identity()
                        .certificate(device.serial())
                        .filter(c -> c.state() == dev.holdfast.ca.CertificateState.CURRENT)
                        .isPresent());
        return device;
    }

    @Test
    void aMillionDevicesEnrolledInOneHourRenewSpreadOverTheWindowCycleAfterCycle() {
        long seed = new Random().nextLong();
        System.out.println("seed: " + seed + " (a million renewals)");
        Random random = new Random(seed);
        int devices = 1_000_000;
        Duration life = Duration.ofDays(90);
        Instant start = Instant.parse("2026-01-01T00:00:00Z");
        long[] due = new long[devices];
        for (int i = 0; i < devices; i++) {
            due[i] = start.getEpochSecond() + random.nextInt(3_600);
        }
        StringBuilder measured = new StringBuilder();
        for (int cycle = 1; cycle <= 4; cycle++) {
            Map<Long, Integer> hours = new java.util.HashMap<>();
            for (int i = 0; i < devices; i++) {
                Instant from = Instant.ofEpochSecond(due[i]);
                Serial serial = Serial.of(new BigInteger(128, random).setBit(127));
                Instant at = RenewalSchedule.renewAt(serial, from, from.plus(life));
                assertThat(at)
                        .isBetween(
                                from.plus(life.dividedBy(2)),
                                from.plus(life.multipliedBy(5).dividedBy(6)));
                due[i] = at.getEpochSecond();
                hours.merge(due[i] / 3_600, 1, Integer::sum);
            }
            int peak = hours.values().stream().max(Integer::compare).orElseThrow();
            measured.append(" cycle ")
                    .append(cycle)
                    .append(": peak ")
                    .append(peak)
                    .append(" an hour");
            // 30 days are 720 hours: 1,389 an hour if it were perfectly even.
            assertThat(peak).isLessThan(1_389 * 5 / 4);
        }
        System.out.println("measured: a million devices enrolled in one hour renew at" + measured);
    }

    @Test
    void aCampaignTellsItsDevicesOverMqttAtItsRateAndCountsThemAsTheyRenew() {
        List<EnrolledDevice> devices = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            devices.add(current("camp-" + i));
        }
        EnrolledDevice other = current("camp-other");
        Campaign campaign = renewals()
                .start(
                        TestServer.ENVIRONMENT,
                        new Chosen.OfDevices(
                                devices.stream().map(EnrolledDevice::ref).toList()),
                        3_600,
                        "a weak random number generator",
                        TestServer.TESTER);
        assertThat(campaign.total()).isEqualTo(5);
        assertThat(Duration.between(campaign.startedAt(), campaign.toldBy())).isEqualTo(Duration.ofSeconds(5));
        assertThat(renewals().renewAt(devices.getFirst().serial()).orElseThrow())
                .isBefore(Instant.now().plusSeconds(10));

        TestServer.await("all are told", () -> {
            renewals().workDue();
            return devices.stream()
                    .allMatch(d -> told(d.ref()).equals(d.serial().hex()));
        });
        assertThat(told(other.ref())).as("not in the campaign").isEmpty();
        Duration took = Duration.between(campaign.startedAt(), Instant.now());
        assertThat(took).as("one a second, the first at once").isGreaterThanOrEqualTo(Duration.ofSeconds(4));
        Campaign now =
                renewals().campaign(TestServer.ENVIRONMENT, campaign.id()).orElseThrow();
        assertThat(now.told()).isEqualTo(5);
        assertThat(now.done()).isZero();

        server.server()
                .identity()
                .revoke(
                        devices.getFirst().serial(),
                        dev.holdfast.ca.RevocationReason.SUPERSEDED,
                        "renewed",
                        TestServer.TESTER);
        assertThat(renewals()
                        .campaign(TestServer.ENVIRONMENT, campaign.id())
                        .orElseThrow()
                        .done())
                .isEqualTo(1);
    }

    @Test
    void aStoppedCampaignTellsNobodyMore() {
        List<EnrolledDevice> devices = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            devices.add(current("stop-" + i));
        }
        Campaign campaign = renewals()
                .start(
                        TestServer.ENVIRONMENT,
                        new Chosen.OfDevices(
                                devices.stream().map(EnrolledDevice::ref).toList()),
                        1,
                        "a mistake",
                        TestServer.TESTER);
        assertThat(renewals().stop(TestServer.ENVIRONMENT, campaign.id(), "indeed", TestServer.TESTER))
                .isTrue();
        assertThat(renewals().stop(TestServer.ENVIRONMENT, campaign.id(), "indeed", TestServer.TESTER))
                .isFalse();
        Set<Instant> far = devices.stream()
                .map(d -> renewals().renewAt(d.serial()).orElseThrow())
                .filter(at -> at.isAfter(Instant.now().plus(Duration.ofDays(20))))
                .collect(Collectors.toSet());
        assertThat(far).as("all but the first, whose time was now").hasSizeBetween(1, 2);
    }
}
