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

  // What is kept is posted by the browser itself, so that the address of the answer is the browser's.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-plain]");
    if (button) {
      event.preventDefault();
      const form = button.form;
      form.action = button.formAction;
      form.method = "post";
      const chosen = document.createElement("input");
      chosen.type = "hidden";
      chosen.name = button.name;
      chosen.value = button.value;
      form.append(chosen);
      form.submit();
    }
  });
})();
