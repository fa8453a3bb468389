/* Sliders move the number beside them, and it moves them. Without this file the number alone counts. */
"use strict";

(() => {
  const numberOf = (slider) => document.getElementById(slider.dataset.sliderOf);

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-slider-of]")) {
      numberOf(event.target).value = event.target.value;
    } else if (event.target.id) {
      const slider = document.querySelector(`[data-slider-of="${CSS.escape(event.target.id)}"]`);
      if (slider) {
        slider.value = event.target.value.replace(",", ".");
      }
    }
  });
})();
