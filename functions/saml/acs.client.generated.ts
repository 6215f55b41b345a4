// Generated from functions/saml/acs.client.ts by `npm run pages`.
export const SCRIPT = "\"use strict\";(()=>{var e=document.querySelector(\"[data-go]\")?.dataset.go;e!==void 0&&location.replace(e);})();"
