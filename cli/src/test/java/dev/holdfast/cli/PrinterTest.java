package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import org.junit.jupiter.api.Test;

class PrinterTest {
    private static String plain(String json) throws JsonProcessingException {
        return Printer.plain(ApiClient.JSON.readTree(json));
    }

    @Test
    void listsAndLabelsAreShownInTheFormInWhichPeopleGiveThem() throws JsonProcessingException {
        assertThat(plain("[\"ec-p256\",\"rsa\"]")).isEqualTo("ec-p256, rsa");
        assertThat(plain("{\"district\":\"workshop\",\"site\":\"7\"}")).isEqualTo("district=workshop, site=7");
        assertThat(plain("[]")).isEmpty();
        assertThat(plain("{}")).isEmpty();
    }

    @Test
    void whatIsInsideAListIsMadeHarmlessAsWell() throws JsonProcessingException {
        assertThat(plain("[\"a\\u001b[31m\"]")).isEqualTo("a\\u001b[31m");
    }
}
