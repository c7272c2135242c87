package dev.holdfast.protocol.ddi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DdiTest {
    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void readsFeedbackAsSwupdateSendsIt() throws Exception {
        DdiFeedback feedback = DdiFeedback.parse(utf8(
                "{\"id\": \"7\", \"time\": \"20261122T101010\", \"status\": {\"result\": {\"progress\": {\"cnt\": 1,"
                        + " \"of\": 2}, \"finished\": \"success\"}, \"execution\": \"closed\", \"details\":"
                        + " [\"All Chunks Installed.\", \"Done\"]}}"));
        assertThat(feedback)
                .isEqualTo(new DdiFeedback(
                        DdiFeedback.Execution.CLOSED, DdiFeedback.Finished.SUCCESS, "All Chunks Installed. | Done"));
    }

    @Test
    void cutsOffLogsThatAreTooLongInsteadOfRefusingThem() throws Exception {
        DdiFeedback feedback = DdiFeedback.parse(
                utf8("{\"status\":{\"execution\":\"closed\",\"result\":{\"finished\":\"failure\"},\"details\":[\""
                        + "x".repeat(100_000) + "\"]}}"));
        assertThat(feedback.finished()).isEqualTo(DdiFeedback.Finished.FAILURE);
        assertThat(feedback.details())
                .hasSizeLessThanOrEqualTo(DdiFeedback.MOST_DETAILS)
                .endsWith("…");
    }

    @Test
    void whatADeviceSaysIsHarmlessToShow() throws Exception {
        DdiFeedback feedback =
                DdiFeedback.parse(utf8("{\"status\":{\"details\":\"a\\r\\nb\\u001b[31m\\u202ec\\u0000\"}}"));
        assertThat(feedback.details()).isEqualTo("a? b?[31m?c?");
    }

    @Test
    void anUnknownExecutionIsProceeding() throws Exception {
        assertThat(DdiFeedback.parse(utf8("{\"status\":{\"execution\":\"dreaming\"}}"))
                        .execution())
                .isEqualTo(DdiFeedback.Execution.PROCEEDING);
    }

    @Test
    void refusesWhatIsNoFeedbackAndNothingElseEscapes() {
        for (String bad : new String[] {"", "null", "[]", "{}", "{\"status\":1}", "{\"status\":", "[".repeat(9_000)}) {
            assertThatThrownBy(() -> DdiFeedback.parse(utf8(bad))).isInstanceOf(DdiException.class);
        }
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        byte[] good = utf8("{\"id\":\"7\",\"status\":{\"result\":{\"finished\":\"none\"},\"execution\":\"proceeding\","
                + "\"details\":[\"ä\"]},\"mode\":\"merge\",\"data\":{\"a\":\"b\"}}");
        for (int i = 0; i < 5_000; i++) {
            byte[] bad = Arrays.copyOf(good, 1 + random.nextInt(good.length));
            bad[random.nextInt(bad.length)] = (byte) random.nextInt();
            try {
                DdiFeedback.parse(bad);
                DdiAttributes.parse(bad);
            } catch (DdiException refused) {
                assertThat(refused).hasMessageNotContaining("\n");
            }
        }
    }

    @Test
    void readsAttributesWithinBounds() throws Exception {
        StringBuilder many = new StringBuilder("{\"mode\":\"replace\",\"data\":{\"firmware\":\"1.2\"");
        for (int i = 0; i < 1_000; i++) {
            many.append(",\"k")
                    .append(i)
                    .append("\":\"")
                    .append("v".repeat(500))
                    .append('"');
        }
        DdiAttributes read = DdiAttributes.parse(utf8(many + "}}"));
        assertThat(read.mode()).isEqualTo(DdiAttributes.Mode.REPLACE);
        assertThat(read.data()).hasSize(DdiAttributes.MOST).containsEntry("firmware", "1.2");
        assertThat(read.data().values()).allMatch(v -> v.length() <= 128);
    }

    @Test
    void sleepIsHoursMinutesAndSecondsWithinADay() {
        assertThat(DdiAnswers.sleep(Duration.ofSeconds(3_725))).isEqualTo("01:02:05");
        assertThat(DdiAnswers.sleep(Duration.ZERO)).isEqualTo("00:00:01");
        assertThat(DdiAnswers.sleep(Duration.ofDays(3))).isEqualTo("23:59:59");
        assertThat(new String(
                        DdiAnswers.poll(Duration.ofSeconds(5), Optional.empty(), Optional.of("u"), Optional.empty()),
                        StandardCharsets.UTF_8))
                .isEqualTo("{\"config\":{\"polling\":{\"sleep\":\"00:00:05\"}},"
                        + "\"_links\":{\"deploymentBase\":{\"href\":\"u\"}}}");
    }
}
