// What is done to a built page before it is published; Trunk runs this after each build.
import { sealPage } from "./seal-page.mjs";
import { splitModel } from "./split-model.mjs";

if (process.env.TRUNK_PROFILE === "release") {
  const staging = process.env.TRUNK_STAGING_DIR;
  splitModel(staging);
  sealPage(staging);
}
