/** A first program, which says what its parts are for. */

/** @param name of the program and its goal; letters, digits, `_` and `-` */
export function startingText(name: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!--
  A program says what is wanted (goals), how it may be got (methods), and what is known (variables).

    cloudburst list ${name}.xml                                the goals, with their parameters
    cloudburst plan ${name}.xml ${name}                          what would be done; has no effect
    cloudburst pursue ${name}.xml ${name} goal.greeting=Hi       do it

  Try it as it is, then make it yours.
-->
<cloudburst name="${name}">
  <goalProto name="${name}">
    <!-- One line for people; values are filled in. -->
    <describe>Greet from <get>goal.file</get></describe>

    <!-- Parameters with defaults. One without a default must be given when a <pre> reads it. -->
    <variable name="file" type="localFilePath">/tmp/${name}.txt</variable>
    <variable name="greeting" type="string">Hello</variable>

    <!-- What must be known before anything is done. -->
    <pre><defined><get>goal.greeting</get></defined></pre>

    <!-- When this holds, the goal is achieved already and nothing is done. It must hold afterwards. -->
    <post>
      <shell pure="true">
        <send>grep -qxF <get quote="shell">goal.greeting</get> <get quote="shell">goal.file</get> 2&gt;/dev/null</send>
      </shell>
    </post>

    <!-- One way to get there. Several methods are alternatives: when one fails, the next is tried. -->
    <method name="write">
      <!-- A guard: this method is only for machines where it holds. -->
      <pre><fileTest type="executable">/bin/bash</fileTest></pre>

      <!-- Each <send> is a command, a process and a step of its own. Values need quote="shell" or as="env" when they may hold
           anything but letters, digits and _ . / : @ % + = , - -->
      <shell>
        <send><describe>write the greeting</describe>
echo <get quote="shell">goal.greeting</get> &gt; <get quote="shell">goal.file</get></send>
        <send name="shown" timeout="10"><describe>show it</describe>
cat <get quote="shell">goal.file</get></send>
      </shell>

      <!-- A check: what the step named "shown" printed. -->
      <op name="eq"><get>goal.shown.stdout</get><get>goal.greeting</get></op>
    </method>
  </goalProto>
</cloudburst>
`
}
