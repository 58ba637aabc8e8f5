import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"@redislock/nestjs","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/nestjs/index.md","filePath":"api/@redislock/nestjs/index.md"}');
const _sfc_main = { name: "api/@redislock/nestjs/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="redislock-nestjs" tabindex="-1">@redislock/nestjs <a class="header-anchor" href="#redislock-nestjs" aria-label="Permalink to &quot;@redislock/nestjs&quot;">​</a></h1><h2 id="classes" tabindex="-1">Classes <a class="header-anchor" href="#classes" aria-label="Permalink to &quot;Classes&quot;">​</a></h2><ul><li><a href="./classes/LockerHealth">LockerHealth</a></li><li><a href="./classes/RedislockModule">RedislockModule</a></li></ul><h2 id="interfaces" tabindex="-1">Interfaces <a class="header-anchor" href="#interfaces" aria-label="Permalink to &quot;Interfaces&quot;">​</a></h2><ul><li><a href="./interfaces/LockedMisfit">LockedMisfit</a></li><li><a href="./interfaces/LockedOptions">LockedOptions</a></li><li><a href="./interfaces/LockerHealthOptions">LockerHealthOptions</a></li><li><a href="./interfaces/LockerSettings">LockerSettings</a></li><li><a href="./interfaces/RedislockModuleAsyncOptions">RedislockModuleAsyncOptions</a></li><li><a href="./interfaces/RedislockModuleOptions">RedislockModuleOptions</a></li></ul><h2 id="type-aliases" tabindex="-1">Type Aliases <a class="header-anchor" href="#type-aliases" aria-label="Permalink to &quot;Type Aliases&quot;">​</a></h2><ul><li><a href="./type-aliases/LockedDecorator">LockedDecorator</a></li><li><a href="./type-aliases/LockedKey">LockedKey</a></li><li><a href="./type-aliases/LockedKeyMaker">LockedKeyMaker</a></li><li><a href="./type-aliases/LockerHealthResult">LockerHealthResult</a></li></ul><h2 id="functions" tabindex="-1">Functions <a class="header-anchor" href="#functions" aria-label="Permalink to &quot;Functions&quot;">​</a></h2><ul><li><a href="./functions/currentLock">currentLock</a></li><li><a href="./functions/getLockerToken">getLockerToken</a></li><li><a href="./functions/InjectLocker">InjectLocker</a></li><li><a href="./functions/Locked">Locked</a></li></ul></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/nestjs/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};
