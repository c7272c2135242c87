package dev.holdfast.inventory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class InventoryCsvTest {
    private static final Environment ENVIRONMENT = new Environment("development");

    private static Device device(String id, Map<String, String> labels, List<String> reasons) {
        return new Device(
                new DeviceRef(ENVIRONMENT, new DeviceId(id)),
                new ModelId("meter"),
                new Labels(labels),
                Lifecycle.ACTIVE,
                Instant.EPOCH,
                "registered",
                Optional.empty(),
                Optional.of(new DeviceId("gw-1")),
                Instant.EPOCH,
                Optional.of(new FirmwareVersion("1.2.0")),
                Optional.empty(),
                new Risk(Risk.Level.HIGH, reasons),
                Optional.empty());
    }

    @Test
    void whatIsWrittenIsReadBack() throws Exception {
        String csv = InventoryCsv.write(List.of(
                device(
                        "m-1",
                        Map.of("site", "north", "note", "-5 degrees"),
                        List.of("=cmd|' /C calc'!A0", "a \"b\", c")),
                device("m-2", Map.of(), List.of())));
        assertThat(csv).contains("\"'=cmd|' /C calc'!A0; a \"\"b\"\", c\"").contains(",'-5 degrees,");
        InventoryCsv.Read read = InventoryCsv.read(ENVIRONMENT, csv);
        assertThat(read.problems()).isEmpty();
        assertThat(read.registrations())
                .containsExactly(
                        new Inventory.Registration(
                                DeviceRef.of("development", "m-1"),
                                new ModelId("meter"),
                                new Labels(Map.of("site", "north", "note", "-5 degrees")),
                                Optional.of(new DeviceId("gw-1")),
                                Lifecycle.REGISTERED),
                        new Inventory.Registration(
                                DeviceRef.of("development", "m-2"),
                                new ModelId("meter"),
                                Labels.NONE,
                                Optional.of(new DeviceId("gw-1")),
                                Lifecycle.REGISTERED));
    }

    @Test
    void badRowsAreNamedAndTheOthersRead() throws Exception {
        InventoryCsv.Read read = InventoryCsv.read(
                ENVIRONMENT,
                "id,model,label.site\nm-1,meter,a\nm 2,meter,a\nm-3\nm-1,meter,b\n\nm-4,meter,<b>\u202e\nm-5,meter,\n");
        assertThat(read.registrations()).extracting(r -> r.ref().id().value()).containsExactly("m-1", "m-5");
        assertThat(read.problems()).extracting(InventoryCsv.Problem::row).containsExactly(3, 4, 5, 7);
    }

    @Test
    void whatIsNotCsvIsRefusedWithItsReason() {
        for (String bad : List.of(
                "",
                "id\nm-1\n",
                "id,model,surprise\n",
                "id,model,id\n",
                "id,model\n\"m-1,meter\n",
                "id,model\nm\"1,meter\n",
                "id,model\n\"m-1\"x,meter\n",
                "id,model\n" + "x".repeat(5_000) + ",meter\n")) {
            assertThatThrownBy(() -> InventoryCsv.read(ENVIRONMENT, bad))
                    .isInstanceOf(InventoryCsv.NotCsvException.class)
                    .message()
                    .isNotBlank();
        }
    }

    @Test
    void noTextMakesItFailOtherwise() {
        long seed = System.nanoTime() & 0xffffff;
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        String alphabet = "idmodel,\"\r\n'=-label.\u202e\u0000";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? "id,model\n" : "");
            for (int c = random.nextInt(40); c > 0; c--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                InventoryCsv.read(ENVIRONMENT, text.toString());
            } catch (InventoryCsv.NotCsvException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    @Test
    void riskComesWithItsReasonsAndAnOperatorsWordOnlyRaisesIt() {
        RiskClassifier.Facts calm = new RiskClassifier.Facts(0, 0, Optional.empty());
        Risk low = RiskClassifier.classify(device("m-1", Map.of(), List.of()), Optional.empty(), calm, Instant.EPOCH);
        assertThat(low.level()).isEqualTo(Risk.Level.LOW);
        assertThat(low.reasons())
                .containsExactly("its model does not say whom it may talk to, so its traffic is not judged");
        Risk critical = RiskClassifier.classify(
                device("m-1", Map.of("criticality", "critical"), List.of()), Optional.empty(), calm, Instant.EPOCH);
        assertThat(critical.level()).isEqualTo(Risk.Level.CRITICAL);
        Risk gateway = RiskClassifier.classify(
                device("m-1", Map.of("criticality", "low"), List.of()),
                Optional.empty(),
                new RiskClassifier.Facts(60, 1, Optional.of(Risk.Level.HIGH)),
                Instant.EPOCH);
        assertThat(gateway.level()).isEqualTo(Risk.Level.CRITICAL);
        assertThat(gateway.reasons())
                .anyMatch(r -> r.contains("60 devices are reached through it"))
                .anyMatch(r -> r.contains("1 open incident, the worst high"));
    }
}
